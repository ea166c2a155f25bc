# shellcheck shell=bash
# Merge the retraining pull request, if a bot wrote all of it and the required check has passed.
set -eo pipefail
export GH_HOST="${GITHUB_SERVER_URL#*://}"
repository="repos/$GITHUB_REPOSITORY"

found=$(gh api --method GET "$repository/pulls" -f state=open -f base="$BASE" \
  -f head="${GITHUB_REPOSITORY%%/*}:retrain" \
  --jq 'first // empty | select(.user.login == "github-actions[bot]") | "\(.number) \(.head.sha)"')
read -r number sha <<< "$found"
if [ -z "$number" ]; then
  echo "No retraining pull request is open."
  exit 0
fi
passed=$(gh api --method GET "$repository/commits/$sha/check-runs" -f check_name=gate \
  --jq '.check_runs | length > 0 and all(.conclusion == "success")')
if [ "$passed" != true ]; then
  echo "Pull request #$number has not passed every gate, and waits."
  exit 0
fi
gh api --silent --method PUT "$repository/pulls/$number/merge" -f sha="$sha"
echo "Pull request #$number is merged."
echo "merged=true" >> "$GITHUB_OUTPUT"
# What a bot merges starts nothing by itself.
gh api --silent --method POST "$repository/actions/workflows/deploy.yml/dispatches" -f ref="$BASE"
