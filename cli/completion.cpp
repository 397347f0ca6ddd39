#include "cli/completion.h"

#include <string_view>
#include <utility>
#include <vector>

namespace qingyin::cli {
namespace {

enum class Argument { kNone, kWords, kFile, kFolder, kOther };

struct OptionRow {
  std::vector<std::string> spellings;  // "-o", "--output"
  std::string description;
  Argument argument = Argument::kNone;
  std::vector<std::string> words;
};

struct VerbRow {
  std::string name, summary;
  std::vector<OptionRow> options;
  std::vector<std::string> words;  // of its positional, where those are fixed
};

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('|', begin)) != text.npos; begin = end + 1) {
    words.push_back(text.substr(begin, end - begin));
  }
  words.push_back(text.substr(begin));
  return words;
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  for (const auto& name : option.get_snames()) row.spellings.push_back("-" + name);
  for (const auto& name : option.get_lnames()) row.spellings.push_back("--" + name);
  row.description = option.get_description();
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0) return row;
  row.argument = Argument::kOther;
  if (type.find('|') != type.npos) {
    row.argument = Argument::kWords;
    row.words = split_words(type);
  } else if (type.find("FILE") != type.npos || type.find("PATH") != type.npos) {
    row.argument = Argument::kFile;
  } else if (type.find("DIR") != type.npos) {
    row.argument = Argument::kFolder;
  }
  return row;
}

VerbRow verb_of(const CLI::App& app) {
  VerbRow verb{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    const OptionRow row = row_of(*option);
    if (!row.spellings.empty()) {
      verb.options.push_back(row);
    } else if (row.argument == Argument::kWords) {
      verb.words = row.words;
    }
  }
  return verb;
}

std::vector<VerbRow> verbs_of(const CLI::App& program) {
  std::vector<VerbRow> verbs;
  for (const CLI::App* app : program.get_subcommands(nullptr)) verbs.push_back(verb_of(*app));
  return verbs;
}

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

// Text without what a single-quoted shell string or a zsh description cannot hold.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '\'' && c != '[' && c != ']' && c != ':' && c != '\\' && c != '\n') out += c;
  }
  return out;
}

std::string all_spellings(const VerbRow& verb) {
  std::vector<std::string> all;
  for (const auto& row : verb.options) {
    all.insert(all.end(), row.spellings.begin(), row.spellings.end());
  }
  return joined(all);
}

std::string bash_case_of_options(const VerbRow& verb) {
  std::string out;
  for (const auto& row : verb.options) {
    if (row.argument == Argument::kNone) continue;
    std::string reply = "COMPREPLY=()";
    if (row.argument == Argument::kWords) {
      reply = "COMPREPLY=($(compgen -W '" + joined(row.words) + "' -- \"$word\"))";
    } else if (row.argument == Argument::kFile) {
      reply = "COMPREPLY=($(compgen -f -- \"$word\"))";
    } else if (row.argument == Argument::kFolder) {
      reply = "COMPREPLY=($(compgen -d -- \"$word\"))";
    }
    out += "        " + joined(row.spellings, "|") + ") " + reply + "; return ;;\n";
  }
  return out;
}

std::string bash_script(const std::vector<VerbRow>& verbs) {
  std::string names, cases;
  for (const auto& verb : verbs) {
    names += (names.empty() ? "" : " ") + verb.name;
    cases += "    " + verb.name + ")\n      case \"$previous\" in\n" + bash_case_of_options(verb) +
             "      esac\n      options='" + all_spellings(verb) + "'\n      words='" +
             joined(verb.words) + "' ;;\n";
  }
  return "# bash completion for qingyin: source <(qingyin completion bash)\n"
         "_qingyin() {\n"
         "  local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local options='' words=''\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    compopt +o filenames 2>/dev/null\n"
         "    COMPREPLY=($(compgen -W '" +
         names +
         " --help --version' -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"${COMP_WORDS[1]}\" in\n" +
         cases +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  elif [ -n \"$words\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o nosort -F _qingyin qingyin\n";
}

std::string zsh_option(const OptionRow& row) {
  std::string end = "[" + plain(row.description) + "]";
  if (row.argument == Argument::kWords) end += ":word:(" + joined(row.words) + ")";
  if (row.argument == Argument::kFile) end += ":file:_files";
  if (row.argument == Argument::kFolder) end += ":folder:_files -/";
  if (row.argument == Argument::kOther) end += ":value: ";
  std::string out;
  for (const auto& spelling : row.spellings) out += " \\\n        '" + spelling + end + "'";
  return out;
}

std::string zsh_script(const std::vector<VerbRow>& verbs) {
  std::string names, cases;
  for (const auto& verb : verbs) {
    names += "    '" + verb.name + ":" + plain(verb.summary) + "'\n";
    cases += "      " + verb.name + ")\n        _arguments";
    for (const auto& row : verb.options) cases += zsh_option(row);
    const std::string words = verb.words.empty() ? "_files" : "(" + joined(verb.words) + ")";
    cases += " \\\n        '*:argument:" + words + "' ;;\n";
  }
  return "#compdef qingyin\n"
         "# zsh completion for qingyin: qingyin completion zsh > \"${fpath[1]}/_qingyin\"\n"
         "_qingyin() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         names +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe 'command' commands\n"
         "    return\n"
         "  fi\n"
         "  local verb=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $verb in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = \"_qingyin\" ]; then\n"
         "  _qingyin \"$@\"\n"
         "else\n"
         "  compdef _qingyin qingyin\n"
         "fi\n";
}

std::string fish_option(const std::string& verb, const OptionRow& row) {
  std::string out = "complete -c qingyin -n '__fish_seen_subcommand_from " + verb + "'";
  for (const auto& spelling : row.spellings) {
    const bool is_long = spelling.starts_with("--");
    out += is_long ? " -l " + spelling.substr(2) : " -s " + spelling.substr(1);
  }
  if (row.argument == Argument::kWords) out += " -x -a '" + joined(row.words) + "'";
  if (row.argument == Argument::kFile) out += " -r -F";
  if (row.argument == Argument::kFolder) out += " -x -a '(__fish_complete_directories)'";
  if (row.argument == Argument::kOther) out += " -x";
  return out + " -d '" + plain(row.description) + "'\n";
}

std::string fish_script(const std::vector<VerbRow>& verbs) {
  std::string out = "# fish completion for qingyin: qingyin completion fish | source\n";
  for (const auto& verb : verbs) {
    out += "complete -c qingyin -n __fish_use_subcommand -f -a " + verb.name + " -d '" +
           plain(verb.summary) + "'\n";
    for (const auto& row : verb.options) out += fish_option(verb.name, row);
    if (!verb.words.empty()) {
      out += "complete -c qingyin -n '__fish_seen_subcommand_from " + verb.name + "' -f -a '" +
             joined(verb.words) + "'\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& program, Shell shell) {
  const auto verbs = verbs_of(program);
  switch (shell) {
    case Shell::kZsh:
      return zsh_script(verbs);
    case Shell::kFish:
      return fish_script(verbs);
    case Shell::kBash:
      break;
  }
  return bash_script(verbs);
}

}  // namespace qingyin::cli
