"""``python -m gitops_ml`` is ``mlops``."""

from .cli.app import app

if __name__ == "__main__":
    app()
