// SPDX-License-Identifier: Apache-2.0
// --help, man pages and completion, all from the lists of option_list.h.
#include <stdio.h>
#include <string.h>

#include "tools/options.h"

struct command_text {
    const char *name;
    const char *arguments;
    const char *summary;
    const char *text;
    const char *examples;
};

static const struct command_text commands[BTK_COMMAND_COUNT] = {
#define COMMAND(name, NAME, arguments, summary, text, examples)                                    \
    [BTK_COMMAND_##NAME] = {#name, arguments, summary, text, examples},
    BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
};

struct option_text {
    const char *spelling;
    const char *argument;
    const char *help;
    unsigned commands;
};

static const struct option_text options[BTK_OPTION_COUNT] = {
#define OPTION(name, spelling, argument, help, commands)                                           \
    [BTK_OPTION_##name] = {spelling, argument, help, commands},
    BTK_OPTION_LIST(OPTION)
#undef OPTION
};

static const char environment[] =
    "BUDTIKTOK_SIMD                avx512, avx2 or scalar: the kernels to use; an error when there "
    "are none\n"
    "BUDTIKTOK_LOG                 [TARGET=]error|warn|info|debug|trace,...\n"
    "BUDTIKTOK_LOG_FORMAT          text (key=value, the default) or json\n"
    "BUDTIKTOK_PROFILE             1: time each stage of encode in one call of 64; shown at the "
    "end, by a\n"
    "                              cluster at /debug/latency and /metrics\n"
    "BUDTIKTOK_CONNECT             the endpoint of the cluster\n"
    "OTEL_EXPORTER_OTLP_ENDPOINT   where serve sends traces, http://host:4318; and its family\n"
    "TRACEPARENT                   the trace that submit is part of\n";

static const char exit_statuses[] = "0  done\n"
                                    "1  done, with documents refused or differences found\n"
                                    "2  wrong use\n"
                                    "3  a file cannot be read or is not what it should be\n"
                                    "4  no cluster answers\n"
                                    "5  the cluster refused\n"
                                    "6  an address or a socket is taken\n";

// Between an option and its value.
static const char *separator(const char *argument)
{
    return argument && !btk_option_may_stand_alone(argument) ? " " : "";
}

static void print_indented(FILE *stream, const char *text, const char *indent)
{
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, "\n");
        fprintf(stream, "%s%.*s\n", indent, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

// Words of `text` in lines of at most 78 columns.
static void print_wrapped(const char *text, int indent)
{
    int column = 0;
    for (const char *at = text; *at;) {
        const int length = (int)strcspn(at, " ");
        if (column && column + 1 + length > 78) {
            printf("\n");
            column = 0;
        }
        if (column)
            column += printf(" %.*s", length, at);
        else
            column = printf("%*s%.*s", indent, "", length, at);
        at += length;
        at += strspn(at, " ");
    }
    printf("\n");
}

void btk_usage_print(FILE *stream)
{
    fprintf(stream,
            "usage: budtiktok COMMAND [OPTIONS]\n\n"
            "Turns text into token ids, exactly as the reference tokenizers do, in one process or\n"
            "in a cluster of them.\n\ncommands:\n");
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++)
        fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(stream, "\n'budtiktok COMMAND --help' says more; '--version' says which this is.\n"
                    "\nenvironment:\n");
    print_indented(stream, environment, "  ");
    fprintf(stream, "\nexit status:\n");
    print_indented(stream, exit_statuses, "  ");
}

void btk_usage_print_command(enum btk_command command)
{
    const struct command_text *const text = &commands[command];
    printf("usage: budtiktok %s [OPTIONS]%s%s\n\n", text->name, *text->arguments ? " " : "",
           text->arguments);
    print_wrapped(text->text, 0);
    printf("\noptions:\n");
    for (unsigned i = 0; i < BTK_OPTION_COUNT; i++) {
        if (!(options[i].commands & (1u << command))) continue;
        printf("  --%s%s%s\n", options[i].spelling, separator(options[i].argument),
               options[i].argument ? options[i].argument : "");
        print_wrapped(options[i].help, 6);
    }
    printf("  --help\n      this text\n\nexamples:\n");
    print_indented(stdout, text->examples, "  ");
}

// Dashes and backslashes have a meaning in roff.
static void print_roff(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\\')
            printf("\\e");
        else if (*at == '-')
            printf("\\-");
        else if (*at == '\'' && (at == text || at[-1] == '\n'))
            printf("\\(aq");
        else
            putchar(*at);
    }
}

static void print_roff_block(const char *heading, const char *text)
{
    printf(".SH %s\n.nf\n", heading);
    print_roff(text);
    if (text[strlen(text) - 1] != '\n') printf("\n");
    printf(".fi\n");
}

void btk_usage_print_man(enum btk_command command)
{
    const struct command_text *const text = &commands[command];
    printf(".TH BUDTIKTOK-%s 1 \"\" \"budtiktok\" \"User Commands\"\n.SH NAME\nbudtiktok\\-%s \\- ",
           text->name, text->name);
    print_roff(text->summary);
    printf("\n.SH SYNOPSIS\n.B budtiktok %s\n[OPTIONS] ", text->name);
    print_roff(text->arguments);
    printf("\n.SH DESCRIPTION\n");
    print_roff(text->text);
    printf("\n.SH OPTIONS\n");
    for (unsigned i = 0; i < BTK_OPTION_COUNT; i++) {
        if (!(options[i].commands & (1u << command))) continue;
        printf(".TP\n.B \\-\\-");
        print_roff(options[i].spelling);
        if (options[i].argument) {
            printf("%s", separator(options[i].argument));
            print_roff(options[i].argument);
        }
        printf("\n");
        print_roff(options[i].help);
        printf("\n");
    }
    print_roff_block("ENVIRONMENT", environment);
    print_roff_block("EXIT STATUS", exit_statuses);
    print_roff_block("EXAMPLES", text->examples);
}

static void print_options_of(unsigned command, const char *before, const char *after)
{
    for (unsigned i = 0; i < BTK_OPTION_COUNT; i++)
        if (options[i].commands & (1u << command))
            printf("%s--%s%s", before, options[i].spelling, after);
}

static void print_bash(void)
{
    printf("_budtiktok() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} words\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='");
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++) printf("%s ", commands[i].name);
    printf("--help --version'\n  else\n    case ${COMP_WORDS[1]} in\n");
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++) {
        printf("      %s) words='", commands[i].name);
        print_options_of(i, "", " ");
        printf("--help' ;;\n");
    }
    printf("    esac\n  fi\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\ncomplete -o default -F _budtiktok budtiktok\n");
}

static void print_zsh(void)
{
    printf("#compdef budtiktok\nlocal -a names\nif (( CURRENT == 2 )); then\n  names=(");
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++)
        printf("'%s:%s' ", commands[i].name, commands[i].summary);
    printf(")\n  _describe command names\n  return\nfi\ncase $words[2] in\n");
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++) {
        printf("  %s) _arguments", commands[i].name);
        print_options_of(i, " '", "'");
        printf(" '*:file:_files' ;;\n");
    }
    printf("esac\n");
}

static void print_fish(void)
{
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++) {
        printf("complete -c budtiktok -n __fish_use_subcommand -a %s -d '%s'\n", commands[i].name,
               commands[i].summary);
        for (unsigned j = 0; j < BTK_OPTION_COUNT; j++)
            if (options[j].commands & (1u << i))
                printf("complete -c budtiktok -n '__fish_seen_subcommand_from %s' -l %s%s\n",
                       commands[i].name, options[j].spelling,
                       *separator(options[j].argument) ? " -r" : "");
    }
}

bool btk_usage_print_completion(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return false;
    return true;
}
