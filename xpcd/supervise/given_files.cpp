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

/// One after the other: each may take its time.
struct opening : std::enable_shared_from_this<opening> {
  struct step {
    const char* key;
    std::string path;
    opener open;
    base::fd* file;
    bool is_given = true;  // to the job
  };
  std::vector<step> steps;
  std::size_t at = 0;
  std::optional<credentials> who;
  bool trusted = false;
  base::fd directory;
  std::shared_ptr<given_files> files;
  base::function<void(failure_of)> then;

  void go_on() {
    while (at < steps.size() && steps[at].path.empty()) ++at;
    if (at == steps.size()) return then(std::nullopt);
    const step& one = steps[at];
    auto work = [as = who, path = one.path, open = one.open, from = trusted] {
      return open_as(as, path, open, from);
    };
    // Where it cannot hang it needs no other thread.
    if (is_near(one.path)) return take(work());
    looks().ask<base::fd>(one.path, work, [self = shared_from_this()](outcome<base::fd> opened) {
      self->take(std::move(opened));
    });
  }

  void take(outcome<base::fd> opened) {
    const step& one = steps[at++];
    if (!opened) {
      trouble why = opened.error();
      why.text = std::string(one.key) + " " + why.text;
      return then(std::move(why));
    }
    *one.file = std::move(*opened);
    if (one.is_given && files->served_mount.empty())
      files->served_mount = served_mount_of(one.file->get());
    go_on();
  }
};

}  // namespace

void open_given_files(const job::description& job, const std::optional<credentials>& who,
                      bool trusted, std::shared_ptr<given_files> files,
                      base::function<void(failure_of)> then) {
  const std::string place = job.working_directory == "/" && job.root_directory.empty()
                                ? std::string()
                                : job.root_directory + job.working_directory;
  auto all = std::make_shared<opening>();
  all->steps = {{"StandardInPath", job.stdin_path, open_input_path, &files->in},
                {"StandardOutPath", job.stdout_path, open_output_path, &files->out},
                {"StandardErrorPath", job.stderr_path, open_output_path, &files->error},
                {"WorkingDirectory", place, look_into, &all->directory, false}};
  all->who = who;
  all->trusted = trusted;
  all->files = std::move(files);
  all->then = std::move(then);
  all->go_on();
}

given_files::~given_files() {
  if (served_mount.empty()) return;
  auto all = std::make_shared<unclosed>();
  for (base::fd* one : {&in, &out, &error}) all->files.push_back(std::move(*one));
  looks().ask<bool>(
      served_mount,
      [all] {
        all->files.clear();
        return outcome<bool>(true);
      },
      [](const outcome<bool>&) {});
}

}  // namespace openxpc::supervise
