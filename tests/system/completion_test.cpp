// Completion of xpcctl, in the shells themselves; those that are not installed are passed over.

#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

const std::string completions =
    std::string(xpc_testing::source_folder) + "/packaging/completions/xpcctl.";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream all(text);
  for (std::string line; std::getline(all, line);) {
    // fish puts what it is behind it.
    if (!line.empty()) lines.push_back(line.substr(0, line.find('\t')));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    answer loaded = xpcd.bootstrap(plist("org.example.tea", {"/bin/true"}));
    ASSERT_TRUE(loaded) << loaded.message;
    ASSERT_TRUE(xpcd.verb("disable", "org.example.off"));
    // A file that was not loaded is listed, and no verb takes it for a job.
    std::ofstream(root + "/refused.plist") << "<plist>";
    ASSERT_FALSE(xpcd.bootstrap("<plist>", root + "/refused.plist"));
  }
  std::string run(const std::string& shell, std::vector<std::string> arguments) {
    const std::string tools =
        std::filesystem::path(xpc_testing::xpcctl_program).parent_path().string();
    xpc_testing::run_result said = xpc_testing::run(
        shell,
        {.arguments = std::move(arguments),
         .environment = {"PATH=" + tools + ":/usr/bin:/bin", "HOME=" + root, "ZDOTDIR=" + root,
                         "TERM=vt100", "XDG_CONFIG_HOME=" + root, "XDG_DATA_HOME=" + root},
         .keep_stderr = true});
    EXPECT_EQ(said.error, "") << shell;
    return said.output;
  }
  /// What a shell offers for these words, the last of which is to be completed.
  using offer = std::vector<std::string> (Completion::*)(const std::vector<std::string>& words);

 public:
  std::vector<std::string> of_bash(const std::vector<std::string>& words) {
    std::vector<std::string> arguments{
        "--norc", "-c",
        "source " + completions +
            "bash; compopt() { :; }; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _xpcctl; "
            "printf '%s\\n' \"${COMPREPLY[@]}\"",
        "bash"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return lines_of(run("/bin/bash", arguments));
  }
  std::vector<std::string> of_fish(const std::vector<std::string>& words) {
    return lines_of(run("/usr/bin/fish",
                        {"--no-config", "-c",
                         "source " + completions + "fish; complete -C '" + line_of(words) + "'"}));
  }
  /// zsh completes only where somebody types: in a terminal of its own, which ends when it is done.
  std::vector<std::string> of_zsh(const std::vector<std::string>& words) {
    std::filesystem::create_directory(root + "/functions");
    std::filesystem::copy_file(completions + "zsh", root + "/functions/_xpcctl",
                               std::filesystem::copy_options::overwrite_existing);
    std::ofstream(root + "/.zshrc") << "fpath=(" << root << "/functions $fpath)\n"
                                    << R"(PROMPT=
autoload -Uz compinit
compinit -u -D
compadd() {
  local -a found
  if [[ " $* " != *\ -[ADO]\ * ]]; then
    builtin compadd -O found "$@"
    print -rl -- $found >>$HOME/found
  fi
  builtin compadd "$@"
}
finish() { exit }
comppostfuncs=(finish)
bindkey '^I' complete-word
)";
    std::filesystem::remove(root + "/found");
    run("/bin/zsh", {"-f", "-c",
                     "zmodload zsh/zpty; zpty it zsh -i; zpty -w -n it \"$1\"; "
                     "while zpty -r it some; do :; done",
                     "zsh", line_of(words) + "\t"});
    std::stringstream all;
    all << std::ifstream(root + "/found").rdbuf();
    return lines_of(all.str());
  }

 protected:
  static std::string line_of(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
  }
  void offers_what_there_is(offer of) {
    const std::string user = "user/" + std::to_string(::geteuid());
    struct {
      std::vector<std::string> words, offered;
    } const cases[] = {
        {{"kick"}, {"kickstart"}},
        {{"print", "org"}, {"org.example.tea"}},
        {{"print", root + "/ref"}, {}},
        {{"print", "sys"}, {"system/"}},
        {{"print", "system/"}, {"system/org.example.tea"}},
        {{"bootout", user + "/org"}, {user + "/org.example.tea"}},
        {{"kill", "TERM", "org"}, {"org.example.tea"}},
        {{"upgrade", "org"}, {"org.example.tea"}},
        {{"enable", "org"}, {"org.example.off"}},
        {{"stats", "sys"}, {"system"}},
        {{"print", "pid/" + std::to_string(::getpid())},
         {"pid/" + std::to_string(::getpid()) + "/"}},
    };
    for (const auto& each : cases) {
      std::vector<std::string> words{"xpcctl", "--domain", xpcd.directory()};
      words.insert(words.end(), each.words.begin(), each.words.end());
      std::vector<std::string> offered = (this->*of)(words);
      // Other processes' numbers may begin the same.
      if (each.words.back().compare(0, 4, "pid/") == 0) {
        std::erase_if(offered, [&](const std::string& one) { return one != each.offered.front(); });
      }
      EXPECT_EQ(offered, each.offered) << line_of(words);
    }
  }
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};
};

TEST_F(Completion, OfBash) { offers_what_there_is(&Completion::of_bash); }

TEST_F(Completion, OfZsh) {
  if (::access("/bin/zsh", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no zsh";
  offers_what_there_is(&Completion::of_zsh);
}

TEST_F(Completion, OfFish) {
  if (::access("/usr/bin/fish", X_OK) != 0) GTEST_SKIP() << "NOT SHOWN: there is no fish";
  offers_what_there_is(&Completion::of_fish);
}

TEST_F(Completion, HasEveryVerbInEachShell) {
  const std::string help =
      xpc_testing::run(xpc_testing::xpcctl_program, {.arguments = {"--help"}}).output;
  std::vector<std::string> verbs;
  for (std::size_t at = help.find("\n  ", help.find("Subcommands:")); at != std::string::npos;
       at = help.find("\n  ", at + 1)) {
    const std::size_t end = help.find(' ', at + 3);
    if (end != at + 3) verbs.push_back(help.substr(at + 3, end - at - 3));
  }
  EXPECT_GE(verbs.size(), 19u);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    std::stringstream all;
    all << std::ifstream(std::string(xpc_testing::source_folder) +
                         "/packaging/completions/xpcctl." + std::string(shell))
               .rdbuf();
    for (const std::string& verb : verbs) {
      EXPECT_NE(all.str().find(verb), std::string::npos) << verb << " in " << shell;
    }
  }
}

}  // namespace
}  // namespace system_test
