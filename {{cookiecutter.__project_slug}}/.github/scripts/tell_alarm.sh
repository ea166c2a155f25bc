# shellcheck shell=bash
# Keep one issue about production: open it on an alarm, bring it up to date while that lasts, and
# close it afterwards: tell_alarm.sh FILE ALARM, with the text in FILE, and ALARM true or false.
set -eo pipefail
file=$1 alarm=$2
export GH_HOST="${GITHUB_SERVER_URL#*://}"
issues="repos/$GITHUB_REPOSITORY/issues"
run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"

number=$(gh api --method GET "$issues" -f state=open -f labels=monitoring -f creator='github-actions[bot]' \
  --jq 'map(select(.pull_request == null)) | first // {} | .number // empty')
text=$(mktemp)
trap 'rm -f "$text"' EXIT
{ cat "$file"; printf '\n\nSeen in [this run](%s).\n' "$run"; } > "$text"

if [ "$alarm" = true ]; then
  if [ -n "$number" ]; then
    gh api --silent --method PATCH "$issues/$number" -F body=@"$text"
    echo "Issue #$number is up to date."
  else
    number=$(gh api --method POST "$issues" --jq .number \
      -f title="Production needs attention" -f "labels[]=monitoring" -F body=@"$text")
    echo "Issue #$number is open."
  fi
elif [ -n "$number" ]; then
  gh api --silent --method POST "$issues/$number/comments" -f body="It is quiet again: see [this run]($run)."
  gh api --silent --method PATCH "$issues/$number" -f state=closed # its text still says what was found
  echo "Issue #$number is closed."
else
  echo "All is quiet, and no issue is open."
fi
