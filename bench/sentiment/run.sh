#!/usr/bin/env bash
# Sentiment from text only: sign accuracy, AUC and time beside VADER's and AFINN's, in one table.
#   bench/sentiment/run.sh [BUILD_FOLDER]      default build/release; builds what it needs there
# Needs ../shared/data/sentiment (skips without it) and, for the others' lines, node and npm with a registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
data=../shared/data/sentiment

if [[ ! -f $data/book-reviews.csv ]]; then
  echo "skipped: no $data"
  exit 0
fi
[[ -f $build/build.ninja ]] || cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target bench_sentiment_compare >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/bench_sentiment_compare" "$data" tests/data/sentiment/held_out.tsv "$work/texts.tsv" >"$work/rows"

if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix "$work" \
    vader-sentiment@1 sentiment@5 >"$work/npm.log" 2>&1; then
  NODE_PATH=$work/node_modules node bench/sentiment/others.js "$work/texts.tsv" >>"$work/rows"
else
  echo "VADER and AFINN left out: npm could not install them" >&2
fi

# Sets in the order of their first line, each with all its methods.
awk -F'\t' '
  !($1 in seen) { seen[$1] = 1; order[++sets] = $1 }
  { lines[$1] = lines[$1] sprintf("%-16s %-26s %6s %8s %8s %8s\n", $1, $2, $3, $4 " %", $5, $6)
    accuracy[$1, $2] = $4 }
  END {
    printf "%-16s %-26s %6s %8s %8s %8s\n", "set", "method", "texts", "sign", "AUC", "us/text"
    for (i = 1; i <= sets; ++i) printf "%s", lines[order[i]]
    ours = accuracy["book reviews", "LuminaLib, built in"]
    trained = accuracy["book reviews", "LuminaLib, trained here"]
    best = accuracy["book reviews", "VADER"]
    if (accuracy["book reviews", "AFINN-165"] > best) best = accuracy["book reviews", "AFINN-165"]
    if (best) printf "book reviews, points above the better of VADER and AFINN: built in %.1f, trained here %.1f\n",
                     ours - best, trained - best
  }' "$work/rows"
