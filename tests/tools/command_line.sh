#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# command_line.sh PROGRAM ROOT: what users type, and what they get: exit status, output, messages.
set -u
program=$1
root=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/budtiktok-tools.XXXXXX")
coordinator=
finish() {
    [ -z "$coordinator" ] || kill -TERM "$coordinator" 2> /dev/null
    wait
    rm -rf "$folder"
}
trap finish EXIT
failures=0

# expect WHAT STATUS OUTPUT MESSAGE COMMAND...: OUTPUT is all of standard output, or - for any; MESSAGE
# stands in standard error, which stays empty where MESSAGE is.
expect() {
    what=$1 status=$2 output=$3 message=$4
    shift 4
    got=0
    "$@" > "$folder/out" 2> "$folder/err" || got=$?
    fault=
    [ "$got" = "$status" ] || fault="exit status $got instead of $status"
    [ "$output" = - ] || [ "$(cat "$folder/out")" = "$output" ] || fault="$fault, other output"
    if [ -n "$message" ]; then
        grep -qe "$message" "$folder/err" || fault="$fault, no '$message' in the message"
    else
        [ ! -s "$folder/err" ] || fault="$fault, a message"
    fi
    [ -n "$fault" ] || return 0
    failures=$((failures + 1))
    echo "FAIL: $what: $fault"
    head -c 600 "$folder/out" "$folder/err"
}

# with TEXT COMMAND...: TEXT, in the escapes of printf, is standard input.
with() {
    text=$1
    shift
    # shellcheck disable=SC2059
    printf "$text" | "$@"
}

for command in encode decode compile inspect serve worker submit status top verify; do
    expect "$command --help" 0 - '' "$program" "$command" --help
    expect "$command with an unknown option" 2 '' . "$program" "$command" --no-such-option
done
expect 'no command' 2 - 'usage' "$program"
expect 'unknown command' 2 - . "$program" no-such-command
expect '--version' 0 - '' "$program" --version
expect 'unknown kernels' 2 '' scalar env BUDTIKTOK_SIMD=none "$program" encode

# JSON Lines
plain="$program encode --no-special-tokens --input-format"
# shellcheck disable=SC2086
{
expect 'two lines, the last without an end' 0 '{"ids":[11762]}
{"ids":[4463]}' '' with 'Hello\nworld' $plain lines
expect 'nothing' 0 '' '' with '' $plain lines
expect 'an empty line is a document' 0 '{"ids":[]}' '' with '\n' $plain lines
expect 'carriage return' 0 '{"ids":[11762]}' '' with 'Hello\r\n' $plain lines
expect 'a JSON line' 0 '{"ids":[11762]}' '' with '{"text": "Hello"}' $plain jsonl
expect 'another member' 0 '{"ids":[11762]}' '' with '{"t": "Hello"}' $plain jsonl --text-key t
expect 'NUL is a character' 0 - '' with 'a\000b' $plain text
expect 'not UTF-8: the others go on' 1 - '' with 'Hello\nw\377\nworld' $plain lines --quiet
expect 'replaced' 0 - '' with 'w\377' $plain lines --invalid-utf8 replace
expect 'a lone surrogate' 1 - '' with '{"text": "\\ud800"}' $plain jsonl
expect 'a line that is not JSON' 1 - '' with '{"text": \n{"text": "Hello"}' $plain jsonl
}
with 'Hello\nw\377\nworld' "$program" encode --input-format lines > "$folder/out" 2> /dev/null
[ "$(sed -n 2p "$folder/out" | cut -c1-33)" = '{"error":{"code":"invalid_utf8","' ] &&
    [ "$(wc -l < "$folder/out")" = 3 ] ||
    { echo 'FAIL: an error has the place of its document'; failures=$((failures + 1)); }
expect 'decode' 0 '{"text":"hello world"}' '' \
    with '{"ids": [2, 11762, 4463, 3]}' "$program" decode --skip-special-tokens
expect 'an id out of range is left out' 0 '{"text":"hello"}' '' \
    with '{"ids": [11762, 4000000000]}' "$program" decode

# Files that are not what they should be
head -c 5000 "$root/tokenizer/default/wordpiece.json" > "$folder/truncated.json"
echo '{"a": 1}' > "$folder/other.json"
echo 'no JSON' > "$folder/text.json"
: > "$folder/empty.json"
for file in missing truncated other text empty; do
    expect "$file tokenizer" 3 '' "$file.json" \
        with 'a' "$program" encode --tokenizer "$folder/$file.json"
done
expect 'missing input' 3 '' missing.txt "$program" encode "$folder/missing.txt"
expect 'a folder as input' 3 '' "$folder" "$program" encode "$folder"

# Arrays
printf 'Hello world\n\nHello' > "$folder/lines.txt"
expect 'u32' 0 '' '' "$program" encode --no-special-tokens --input-format lines \
    --output-format u32 --output "$folder/ids" "$folder/lines.txt"
[ "$(od -An -v -tu4 "$folder/ids" | tr -s ' ')" = ' 11762 4463 11762' ] &&
    [ "$(od -An -v -tu8 -w24 "$folder/ids.ends" | tr -s ' ')" = ' 2 2 3' ] ||
    { echo 'FAIL: u32 output'; failures=$((failures + 1)); }

# Images
expect 'compile' 0 - '' "$program" compile --output "$folder/own.btk" \
    "$root/tokenizer/default/wordpiece.json"
expect 'an image is a tokenizer' 0 '{"ids":[11762]}' '' \
    with 'Hello' "$program" encode --no-special-tokens --tokenizer "$folder/own.btk"
expect 'inspect' 0 - '' "$program" inspect "$folder/own.btk"
head -c 100000 "$folder/own.btk" > "$folder/cut.btk"
expect 'a damaged image' 3 '' cut.btk with 'a' "$program" encode --tokenizer "$folder/cut.btk"

# Clusters
endpoint=ipc://$folder/cluster/control
expect 'no cluster' 4 '' 'no cluster' with 'a' "$program" submit --connect "$endpoint"
expect 'status of no cluster' 4 '' 'no cluster' "$program" status --connect "$endpoint"
mkdir -m 700 "$folder/cluster"
: > "$folder/cluster/control"
expect 'a file where the socket goes' 3 '' 'is no socket' \
    "$program" serve --listen "$endpoint" --http off
rm "$folder/cluster/control"
# What a coordinator that was killed leaves behind.
for socket in control control.fd; do
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
        "$folder/cluster/$socket"
done
"$program" serve --listen "$endpoint" --http 127.0.0.1:0 --workers 1 \
    > "$folder/serve.out" 2> "$folder/serve.err" &
coordinator=$!
for _ in $(seq 600); do
    grep -q '^ready listen=.* workers=1' "$folder/serve.out" && break
    sleep 0.05
done
expect 'submit' 0 '{"ids":[11762]}' '' \
    with 'Hello' "$program" submit --connect "$endpoint" --no-special-tokens
for meaning in parse plain error; do
    printf '{"text": "a [SEP] b"}\n' > "$folder/special.jsonl"
    "$program" encode --special-text "$meaning" "$folder/special.jsonl" > "$folder/wanted" || true
    "$program" submit --connect "$endpoint" --special-text "$meaning" "$folder/special.jsonl" \
        > "$folder/found" || true
    cmp -s "$folder/wanted" "$folder/found" ||
        { echo "FAIL: submit --special-text $meaning"; failures=$((failures + 1)); }
done
expect 'submit, not UTF-8' 1 - '' with 'H\377' "$program" submit --connect "$endpoint"
expect 'unknown tokenizer' 3 '' 'no tokenizer' \
    with 'a' "$program" submit --connect "$endpoint" --tokenizer nobody
expect 'status' 0 - '' "$program" status --connect "$endpoint"
expect 'a taken socket' 6 '' . "$program" serve --listen "$endpoint" --http off
address=$(sed -n 's/.* http=\([^ ]*\) .*/\1/p' "$folder/serve.out")
expect 'a taken port' 6 '' "$address" "$program" serve --listen "ipc://$folder/other/control" \
    --http "$address"
kill -TERM "$coordinator"
wait "$coordinator" || { echo 'FAIL: the end of serve'; failures=$((failures + 1)); }
coordinator=

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
