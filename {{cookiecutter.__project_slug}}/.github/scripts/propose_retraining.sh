# shellcheck shell=bash
# Keep one pull request that accepts new data, from the branch `retrain`, and let it be judged:
# propose_retraining.sh ARCHIVE TEXT, with the changed files in ARCHIVE, and what to say in TEXT.
set -eo pipefail
archive=$1 text=$2
export GH_HOST="${GITHUB_SERVER_URL#*://}"
repository="repos/$GITHUB_REPOSITORY"
branch=retrain
. .github/scripts/authenticate_git.sh

# It was packed by a job that reads what others deliver: plain files of data may be in it, nothing else.
if tar --list --verbose --file "$archive" | grep -v '^-' \
  || tar --list --file "$archive" | grep -vxE 'data\.lock|.+\.(parquet|csv|csv\.gz)'; then
  echo "::error::The archive of new data holds something else; nothing is proposed."
  exit 1
fi
tar --extract --file "$archive"
git add --all
git commit --quiet --message "Accept new data"

remote="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git"
there=$(git ls-remote "$remote" "refs/heads/$branch" | cut -f 1)
if [ -n "$there" ]; then
  git fetch --quiet --no-tags --depth 2 "$remote" "$there"
  # What people have pushed there is theirs.
  author=$(git show --no-patch --format=%an "$there")
  if [ "$author" != "$GIT_AUTHOR_NAME" ]; then
    echo "::warning::Branch $branch has a commit of $author on top, and is left as it is; merge or delete it."
    exit 0
  fi
fi
# The same change on the same commit has been judged already.
if [ -z "$there" ] || ! git diff --quiet "$there" HEAD || [ "$(git rev-parse "$there^")" != "$GITHUB_SHA" ]; then
  git push --quiet --force-with-lease="refs/heads/$branch:$there" "$remote" "HEAD:refs/heads/$branch"
  pushed=true
fi

# The newest from that branch: its number, whether it is open, and its commit.
newest=$(gh api --method GET "$repository/pulls" -f state=all -f base="$BASE" \
  -f head="${GITHUB_REPOSITORY%%/*}:$branch" --jq 'first // empty | "\(.number) \(.state) \(.head.sha)"')
read -r number state sha <<< "$newest"
if [ "$state" = closed ] && [ "$pushed" != true ] && [ "$sha" = "$there" ]; then
  echo "Pull request #$number was closed; it is proposed anew once there are other data or commits."
elif [ "$state" = open ]; then
  gh api --silent --method PATCH "$repository/pulls/$number" -F body=@"$text"
  echo "Pull request #$number is up to date."
elif number=$(gh api --method POST "$repository/pulls" --jq .number -f title="Retrain on new data" \
  -f head="$branch" -f base="$BASE" -F body=@"$text" 2> refusal); then
  echo "Pull request #$number is open."
  pushed=true
else
  # Fresh repositories do not let workflows open pull requests; a person can.
  cat refusal >&2
  address="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/compare/$BASE...$branch?expand=1"
  echo "::warning::No pull request could be opened. Open it at $address, or allow workflows to: Settings, Actions, General."
  echo "New data wait on the branch \`$branch\`: [open the pull request]($address)." >> "$GITHUB_STEP_SUMMARY"
fi

# What a bot pushes or opens starts nothing by itself.
if [ "$pushed" = true ]; then
  gh api --silent --method POST "$repository/actions/workflows/train.yml/dispatches" -f ref="$branch"
fi
