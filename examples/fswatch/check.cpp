#include "check.hpp"

#include <filesystem>
#include <iostream>
#include <set>

#include "rows.hpp"
#include "rules.hpp"

namespace fswatch {
namespace {

/// The paths that should exist after the events so far.
class state {
 public:
  void play(const event& what) {
    switch (what.what) {
      case kind::deleted:
        return remove(what.path);
      case kind::renamed:
        return rename(what.from, what.path);
      case kind::overflow:
        return;
      default:
        paths_.insert(what.path);
    }
  }
  const std::set<std::string>& paths() const { return paths_; }

 private:
  void remove(const std::string& path) {
    paths_.erase(path);
    paths_.erase(paths_.lower_bound(path + "/"), paths_.lower_bound(path + "0"));
  }
  void rename(const std::string& from, const std::string& to) {
    std::vector<std::string> below(paths_.lower_bound(from + "/"), paths_.lower_bound(from + "0"));
    remove(to);
    remove(from);
    paths_.insert(to);
    for (const std::string& each : below) paths_.insert(to + each.substr(from.size()));
  }
  std::set<std::string> paths_;
};

}  // namespace

int check_tree(const xpc::connection& service, const std::string& tree) {
  auto status = service.call({{"op", "status"}}).wait();
  if (!status) return xpc::report(status.error());
  auto rules_text = status->get<xpc::dictionary>("rules");
  if (!rules_text) return xpc::report(rules_text.error());
  auto which = rules::from_dictionary(*rules_text);
  if (!which) return xpc::report(which.error());

  state expected;
  std::int64_t after = 0;
  for (;;) {
    auto reply = service.call({{"op", "history"}, {"after", after}, {"limit", 5000}}).wait();
    if (!reply) return xpc::report(reply.error());
    auto rows = reply->get<std::vector<xpc::dictionary>>("rows");
    if (!rows) return xpc::report(rows.error());
    if (rows->empty()) break;
    for (const xpc::dictionary& row : *rows) {
      auto what = from_row(row);
      if (!what) return xpc::report(what.error());
      expected.play(*what);
      after = what->id;
    }
  }

  std::set<std::string> found;
  for (auto& entry : std::filesystem::recursive_directory_iterator(tree))
    if (which->path_counts(entry.path().string())) found.insert(entry.path().string());
  std::size_t wrong = 0;
  auto complain = [&](const std::string& path, const char* how) {
    if (++wrong <= 20) std::cout << path << ": " << how << '\n';
  };
  for (const std::string& path : expected.paths())
    if (path.starts_with(tree + "/") && which->path_counts(path) && !found.contains(path))
      complain(path, "the history says it exists, the tree does not have it");
  for (const std::string& path : found)
    if (!expected.paths().contains(path)) complain(path, "it exists, the history does not know it");
  if (wrong) {
    std::cout << wrong << " paths disagree\n";
    return 1;
  }
  std::cout << "tree and history agree on " << found.size() << " paths\n";
  return 0;
}

}  // namespace fswatch
