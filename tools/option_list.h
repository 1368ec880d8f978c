// SPDX-License-Identifier: Apache-2.0
// THE list of commands and THE list of command-line options: parser, --help, man pages and
// completion follow from them.
//
//     COMMAND(name, NAME, arguments, summary, text, examples)
//     OPTION(name, "spelling", argument or NULL, help, set of commands)
//
// `arguments` names the files that it takes: "" none, "[FILE]" at most one, "[FILE...]" any number.
// An option without an argument is a flag. An option has one spelling and one meaning everywhere.
#pragma once

#define BTK_COMMAND_LIST(COMMAND)                                                                  \
    COMMAND(encode, ENCODE, "[FILE...]", "text to token ids, in this process",                     \
            "Reads documents from the files (or standard input), encodes them and writes the "     \
            "results to standard output, one for each document, in order.",                        \
            "budtiktok encode book.txt\n"                                                          \
            "budtiktok encode --tokenizer gpt2.json --fields ids,offsets --input-format lines < "  \
            "lines.txt\n"                                                                          \
            "echo '{\"text\": \"Hello\"}' | budtiktok encode --input-format jsonl")                \
    COMMAND(decode, DECODE, "[FILE...]", "token ids to text, in this process",                     \
            "Reads JSON Lines {\"ids\": [...]} and writes {\"text\": \"...\"} for each, or with "  \
            "--stream {\"steps\": [...]}.",                                                        \
            "echo '{\"ids\": [7592, 2088]}' | budtiktok decode --tokenizer "                       \
            "bert-base-uncased.json")                                                              \
    COMMAND(compile, COMPILE, "FILE", "tokenizer file to image",                                   \
            "Compiles a tokenizer file (tokenizer.json, .tiktoken, tekken.json, a SentencePiece "  \
            ".model, vocab.txt, vocab.json with merges.txt) or a folder with one into the image "  \
            "that --tokenizer takes too.",                                                         \
            "budtiktok compile --output gpt2.btk gpt2.json")                                       \
    COMMAND(inspect, INSPECT, "[FILE]",                                                            \
            "what is in a tokenizer file, an image or a flight recorder",                          \
            "Prints model, sizes, options and where the bytes of the image go, as JSON; with "     \
            "--recorder what the workers of a cluster did last, also after it was killed.",        \
            "budtiktok inspect gpt2.json\n"                                                        \
            "budtiktok inspect --recorder ipc:///run/user/1000/budtiktok/control\n"                \
            "budtiktok inspect --recorder ipc:///run/user/1000/budtiktok/control "                 \
            "--output-format chrome --output trace.json")                                          \
    COMMAND(serve, SERVE, "", "a coordinator and its workers",                                     \
            "Starts a cluster on this host. Prints one line beginning with 'ready' on standard "   \
            "output when it serves. SIGTERM finishes what is in flight and ends; SIGHUP reads "    \
            "the configuration and the tokenizers again: new requests get the new ones, what "     \
            "clients asked for before stays what it was.",                                         \
            "budtiktok serve\n"                                                                    \
            "budtiktok serve --tokenizer gpt2=gpt2.json --workers 4 --http 127.0.0.1:8080")        \
    COMMAND(worker, WORKER, "", "one worker of a cluster",                                         \
            "Joins a running coordinator; joins again when it was restarted.",                     \
            "budtiktok worker --connect ipc:///run/user/1000/budtiktok/control --cpu 3")           \
    COMMAND(submit, SUBMIT, "[FILE...]", "files through a cluster",                                \
            "Like encode, but the work is done by a running cluster.",                             \
            "budtiktok submit --tokenizer gpt2 --output-format u32 --output ids.u32 book.txt")     \
    COMMAND(status, STATUS, "", "one look at a running cluster",                                   \
            "Prints workers, queue, latency and throughput; with --json as JSON.",                 \
            "budtiktok status")                                                                    \
    COMMAND(top, TOP, "", "a live screen of a running cluster",                                    \
            "Shows throughput, queue, where a shard's time goes, and the workers, again and "      \
            "again: on a terminal in place (q ends it, w takes another window), elsewhere one "    \
            "block after the other.",                                                              \
            "budtiktok top\n"                                                                      \
            "budtiktok top --once | grep tokens/s")                                                \
    COMMAND(verify, VERIFY, "", "are our results the recorded ones?",                              \
            "Encodes the texts of a reference file and compares every field that stands there. "   \
            "Prints 'N of M equal' and the first differences; exit status 1 if there are any.",    \
            "budtiktok verify --tokenizer gpt2.json --reference cases.jsonl")

#define BTK_ENCODERS (BTK_IN(ENCODE) | BTK_IN(SUBMIT))
#define BTK_READERS  (BTK_ENCODERS | BTK_IN(DECODE))
#define BTK_OPENERS                                                                                \
    (BTK_IN(ENCODE) | BTK_IN(DECODE) | BTK_IN(COMPILE) | BTK_IN(INSPECT) | BTK_IN(VERIFY))

#define BTK_OPTION_LIST(OPTION)                                                                    \
    OPTION(tokenizer, "tokenizer", "[NAME=]PATH",                                                  \
           "a tokenizer file, a folder with one, or an image; or the name of an embedded one: "    \
           "wordpiece (the default), bpe. serve takes it several times, submit takes the name "    \
           "that the cluster knows",                                                               \
           BTK_READERS | BTK_IN(SERVE) | BTK_IN(VERIFY))                                           \
    OPTION(pattern, "pattern", "NAME|REGEX",                                                       \
           "of a .tiktoken file: the name of a known one (cl100k_base, o200k_base, llama3, qwen, " \
           "gpt2) or a regular expression; files that are known by their names need none",         \
           BTK_OPENERS)                                                                            \
    OPTION(special, "special", "NAME=ID", "a special token of a .tiktoken file; repeatable",       \
           BTK_OPENERS)                                                                            \
    OPTION(connect, "connect", "ENDPOINT",                                                         \
           "the cluster, ipc:///path; default: $BUDTIKTOK_CONNECT",                                \
           BTK_IN(SUBMIT) | BTK_IN(STATUS) | BTK_IN(TOP) | BTK_IN(WORKER))                         \
    OPTION(input_format, "input-format", "FORMAT",                                                 \
           "auto, text (a file is a document), lines (a line is one) or jsonl; auto: jsonl for "   \
           "*.jsonl, lines for standard input, else text",                                         \
           BTK_READERS)                                                                            \
    OPTION(text_key, "text-key", "KEY",                                                            \
           "the member of a JSON line that holds the text "                                        \
           "(default text)",                                                                       \
           BTK_ENCODERS)                                                                           \
    OPTION(recorder, "recorder", "PATH|ENDPOINT",                                                  \
           "the last shards of each worker, from the flight recorder of a cluster (ipc:///path), " \
           "or from the file that one left that was killed (/path.recorder, "                      \
           "/path.recorder.previous)",                                                             \
           BTK_IN(INSPECT))                                                                        \
    OPTION(output, "output", "FILE", "where the results go; - is standard output",                 \
           BTK_READERS | BTK_IN(COMPILE) | BTK_IN(INSPECT))                                        \
    OPTION(output_format, "output-format", "FORMAT",                                               \
           "jsonl (default), u32 (all ids, little endian; FILE.ends: u64, where each document "    \
           "ends) or npy (the same as NumPy arrays); decode writes jsonl alone; "                  \
           "inspect --recorder: table (default) or chrome (a trace file for Perfetto)",            \
           BTK_READERS | BTK_IN(INSPECT))                                                          \
    OPTION(no_special_tokens, "no-special-tokens", NULL, "without what the post-processor adds",   \
           BTK_ENCODERS)                                                                           \
    OPTION(fields, "fields", "LIST",                                                               \
           "of ids,type_ids,tokens,offsets,word_ids,sequence_ids,special_tokens_mask,"             \
           "attention_mask,overflowing (default ids)",                                             \
           BTK_ENCODERS)                                                                           \
    OPTION(truncation, "truncation", "JSON",                                                       \
           "cut long texts: {\"max_length\": N, \"stride\": 0, \"strategy\": \"longest_first\" "   \
           "(or only_first, only_second), \"direction\": \"right\" (or left)}; null: off",         \
           BTK_ENCODERS)                                                                           \
    OPTION(                                                                                        \
        padding, "padding", "JSON",                                                                \
        "fill up short ones: {\"length\": N (default: the longest of a batch), \"direction\": "    \
        "\"right\", \"pad_to_multiple_of\": N, \"pad_id\": 0, \"pad_type_id\": 0, \"pad_token\": " \
        "\"[PAD]\"}; null: off",                                                                   \
        BTK_ENCODERS)                                                                              \
    OPTION(as_configured, "as-configured", NULL,                                                   \
           "use the truncation and padding that stand in the tokenizer file", BTK_ENCODERS)        \
    OPTION(special_text, "special-text", "MEANING",                                                \
           "of a special token's text in a document: parse (the token), plain (text like any "     \
           "other), error (the document is refused); default: parse for tokenizer.json and "       \
           "vocabularies, plain for .tiktoken, tekken.json, .model, GGUF; verify: of ids_special " \
           "alone, "                                                                               \
           "and then parse for .tiktoken, too",                                                    \
           BTK_ENCODERS | BTK_IN(VERIFY))                                                          \
    OPTION(offsets_unit, "offsets-unit", "UNIT", "char (default) or byte", BTK_ENCODERS)           \
    OPTION(invalid_utf8, "invalid-utf8", "WHAT",                                                   \
           "error (default: the document is refused) or replace (by U+FFFD)", BTK_ENCODERS)        \
    OPTION(max_document_bytes, "max-document-bytes", "BYTES",                                      \
           "larger documents are refused (default 1 GiB)", BTK_ENCODERS)                           \
    OPTION(skip_special_tokens, "skip-special-tokens", NULL, "leave special tokens out",           \
           BTK_IN(DECODE))                                                                         \
    OPTION(                                                                                        \
        stream, "stream", "[=MODE]",                                                               \
        "id by id: {\"steps\": [...]}, null where there was no text yet; exact (default): what "   \
        "the reference's DecodeStream gives, with an error where it gives up; lossless: never "    \
        "fails, and holds bytes back until they are a character",                                  \
        BTK_IN(DECODE))                                                                            \
    OPTION(reference, "reference", "FILE", "JSON Lines of texts and what they are to become",      \
           BTK_IN(VERIFY))                                                                         \
    OPTION(workers, "workers", "N", "auto (default): as many as affinity and cgroup quota allow",  \
           BTK_IN(SERVE))                                                                          \
    OPTION(cpus, "cpus", "LIST", "processors to pin workers to, such as 0-3,8", BTK_IN(SERVE))     \
    OPTION(cpu, "cpu", "N", "processor to pin to", BTK_IN(WORKER))                                 \
    OPTION(listen, "listen", "ENDPOINT",                                                           \
           "ipc:///path; default: $BUDTIKTOK_CONNECT, else a socket in a folder of the user",      \
           BTK_IN(SERVE))                                                                          \
    OPTION(http, "http", "ADDR:PORT",                                                              \
           "or off (default 127.0.0.1:8080); an address that other hosts can reach needs "         \
           "--http-token-file",                                                                    \
           BTK_IN(SERVE))                                                                          \
    OPTION(http_token_file, "http-token-file", "FILE",                                             \
           "its one line is the token that HTTP requests for work must bring as "                  \
           "'Authorization: Bearer TOKEN'",                                                        \
           BTK_IN(SERVE))                                                                          \
    OPTION(config, "config", "FILE",                                                               \
           "JSON object of these options; its tokenizers are read again on SIGHUP; the command "   \
           "line wins",                                                                            \
           BTK_IN(SERVE))                                                                          \
    OPTION(shard_bytes, "shard-bytes", "BYTES", "size of a shard (default 65536)", BTK_IN(SERVE))  \
    OPTION(lease_ms, "lease-ms", "MS",                                                             \
           "a worker without progress for so long is replaced (default 1000)", BTK_IN(SERVE))      \
    OPTION(json, "json", NULL, "print JSON", BTK_IN(STATUS))                                       \
    OPTION(interval, "interval", "SECONDS", "from one look to the next (default 1)", BTK_IN(TOP))  \
    OPTION(count, "count", "N", "end after N looks", BTK_IN(TOP))                                  \
    OPTION(once, "once", NULL, "one look; rates are since the start", BTK_IN(TOP))                 \
    OPTION(quiet, "quiet", NULL, "no progress bar", BTK_READERS)
