# shellcheck shell=bash
# Fetch bundle.tar.gz of a released version, and hold it against what production says of it:
# fetch_bundle.sh VERSION SHA256 FILE
set -eo pipefail
version=$1 digest=$2 file=$3
export GH_HOST="${GITHUB_SERVER_URL#*://}"
releases="repos/$GITHUB_REPOSITORY/releases"

asset=$(gh api "$releases/tags/model-v$version" \
  --jq '[.assets[] | select(.name == "bundle.tar.gz") | .id] | first // empty')
if [ -z "$asset" ]; then
  echo "::error::The release model-v$version has no bundle.tar.gz."
  exit 1
fi
gh api "$releases/assets/$asset" -H "Accept: application/octet-stream" > "$file"
if ! echo "$digest  $file" | sha256sum --check --status; then
  echo "::error::bundle.tar.gz of the release model-v$version is not what ran: its SHA-256 differs."
  rm "$file"
  exit 1
fi
