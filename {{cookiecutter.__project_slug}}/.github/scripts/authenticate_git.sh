# shellcheck shell=bash
# Sourced by a step whose Git is to speak for the job: $TOKEN goes into the environment of that
# step alone, and nowhere on the disk.
basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)
echo "::add-mask::$basic" # the log hides the token itself, but knows nothing of this form of it
GIT_CONFIG_COUNT=1
GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
GIT_AUTHOR_NAME="github-actions[bot]"
GIT_AUTHOR_EMAIL="github-actions[bot]@users.noreply.${GITHUB_SERVER_URL#*://}"
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
