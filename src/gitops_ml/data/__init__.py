"""Where rows come from, which of them are accepted, and which are held out."""
