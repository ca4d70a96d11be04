#include "supervise/given_files.hpp"

#include "supervise/bounded_look.hpp"
#include "supervise/output.hpp"
#include "supervise/served_mount.hpp"

#include <fcntl.h>

#include <memory>
#include <string>
#include <vector>

namespace openxpc::supervise {

namespace {

using opener = outcome<base::fd> (*)(const std::string& path, bool trusted);

outcome<base::fd> look_into(const std::string& path, bool) {
  return base::fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

outcome<base::fd> open_as(const std::optional<credentials>& who, const std::string& path,
                          opener open, bool trusted) {
  const as_user user(who);
  if (user.is_in_force()) return open(path, trusted);
  return trouble{trouble::kind::unavailable, path + ": the system does not let xpcd act for " +
                                                 (who ? who->user : std::string())};
}

/// Where nobody closes them, because what they are on hangs already, they stay open: that is once
/// each time that it begins to hang.
struct unclosed {
  std::vector<base::fd> files;
  ~unclosed() {
    for (base::fd& one : files) (void)one.release();
  }
};

}  // namespace

failure_of open_given_files(const job::description& job, const std::optional<credentials>& who,
                            bool trusted, given_files* files) {
  base::fd directory;
  const std::string place = job.working_directory == "/" && job.root_directory.empty()
                                ? std::string()
                                : job.root_directory + job.working_directory;
  const struct {
    const char* key;
    const std::string& path;
    opener open;
    base::fd& file;
  } all[] = {{"StandardInPath", job.stdin_path, open_input_path, files->in},
             {"StandardOutPath", job.stdout_path, open_output_path, files->out},
             {"StandardErrorPath", job.stderr_path, open_output_path, files->error},
             {"WorkingDirectory", place, look_into, directory}};
  for (const auto& one : all) {
    if (one.path.empty()) continue;
    outcome<base::fd> opened =
        looks().look_there<base::fd>(one.path, [who, path = one.path, open = one.open, trusted] {
          return open_as(who, path, open, trusted);
        });
    if (!opened) {
      trouble why = opened.error();
      why.text = std::string(one.key) + " " + why.text;
      return why;
    }
    one.file = std::move(*opened);
    if (&one.file != &directory && files->served_mount.empty())
      files->served_mount = served_mount_of(one.file.get());
  }
  return std::nullopt;
}

given_files::~given_files() {
  if (served_mount.empty()) return;
  auto all = std::make_shared<unclosed>();
  for (base::fd* one : {&in, &out, &error}) all->files.push_back(std::move(*one));
  (void)looks().run(served_mount, [all] { all->files.clear(); });
}

}  // namespace openxpc::supervise
