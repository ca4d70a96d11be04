#include "bootstrap/private_services.hpp"

#include "base/program_places.hpp"
#include "base/random.hpp"
#include "bootstrap/domain.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/conversation.hpp"
#include "connection/private_socket.hpp"
#include "engine/engine.hpp"
#include "object/endpoint.hpp"
#include "object/string.hpp"

#include <dirent.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace openxpc::bootstrap {
namespace {

using connection::conversation;
using connection::error_ref;

/// How long the service manager may restart, and take to look at the files.
constexpr auto patience = std::chrono::seconds(10);
constexpr auto pause = std::chrono::milliseconds(20);

/// Where bundles may stand, as of the first time: a program does not move while it runs.
const std::vector<std::string>& places() {
  static const auto* found = [] {
    std::string path(PATH_MAX, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return new std::vector<std::string>(base::bundle_places(path));
  }();
  return *found;
}

/// What somebody else put there is as good as nothing, or he could take names away from us.
bool is_ours(const std::string& directory) {
  struct stat found{};
  return ::stat(directory.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
         (found.st_uid == 0 || found.st_uid == ::geteuid());
}

bool holds_bundles(const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (!stream) return false;
  bool found = false;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    found = found || (name.size() > base::bundle_suffix.size() &&
                      name.substr(name.size() - base::bundle_suffix.size()) == base::bundle_suffix);
  }
  ::closedir(stream);
  return found;
}

/// 128 random bits, as a UUID is written.
std::string random_name() {
  char text[40];
  const auto high = static_cast<unsigned long long>(base::random_u64());
  const auto low = static_cast<unsigned long long>(base::random_u64());
  std::snprintf(text, sizeof text, "%08llx-%04llx-4%03llx-8%03llx-%012llx", high >> 32,
                high >> 16 & 0xffff, high & 0xfff, low >> 52 & 0xfff, low & 0xffffffffffff);
  return text;
}

/// To the control socket of a domain, for one question.
class control_dialer final : public connection::dialer {
 public:
  explicit control_dialer(std::string directory) : directory_(std::move(directory)) {}
  error_ref look_up() override { return nullptr; }
  answer dial(base::instant since) override {
    error_ref why;
    const base::fd directory = open_domain(directory_, why);
    if (!directory) return {{}, std::move(why)};
    base::fd socket = channel::new_socket();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory.get(),
                  control_name);
    int result = -1;
    if (socket) do
        result = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
      while (result != 0 && errno == EINTR);
    if (result == 0) return {std::move(socket), nullptr};
    const bool comes_back = errno == EAGAIN || errno == ECONNREFUSED;
    if (comes_back && base::boot_clock::now() - since < patience) return {};
    return {{},
            connection::make_error(OPENXPC_ERROR_NO_DOMAIN,
                                   "the service manager of " + directory_ +
                                       " does not answer: " + std::strerror(errno),
                                   "start it again: xpcd --domain DIR")};
  }

 private:
  const std::string directory_;
};

/// The domain whose service manager starts services for this process.
std::string own_domain(error_ref& why) {
  const auto directories = domain_directories({}, why);
  for (const std::string& each : directories) {
    error_ref reason;
    if (open_domain(each, reason)) return each;
    if (!why) why = std::move(reason);
  }
  return {};
}

std::string text_of(const object::dictionary& from, const char* key) {
  auto* text = object::as<object::string>(from.get(key));
  return text ? std::string(text->text()) : std::string();
}

}  // namespace

standing stands_beside(const std::string& name) {
  standing found = standing::none;
  for (const std::string& place : places()) {
    if (!is_ours(place)) continue;
    const std::string bundle = place + "/" + name + std::string(base::bundle_suffix);
    struct stat there{};
    if (::lstat(bundle.c_str(), &there) == 0) return standing::certain;
    if (holds_bundles(place)) found = standing::perhaps;
  }
  return found;
}

/// Nothing comes but the answer.
class private_way::silence final : public connection::handlers {
  void received(base::ref<connection::incoming>) override {}
  void subscribed(base::ref<connection::incoming>) override {}
  void interrupted(const error_ref&) override {}
  void ended(const error_ref&) override {}
};

private_way::private_way(std::string name) : name_(std::move(name)), connection_(random_name()) {}

private_way::answer private_way::dial(base::instant since) {
  std::unique_lock lock(mutex_);
  const bool fresh = std::exchange(fresh_, false);
  if (elsewhere_) return {{}, nullptr, true};
  if (failure_) return {{}, std::exchange(failure_, nullptr)};
  if (endpoint_) {
    answer made;
    made.socket = connection::connect_to_path(endpoint_.get());
    if (made.socket || errno == EAGAIN) return made;
    // It leads nowhere any more: there is a new one, or a new service manager.
    endpoint_.reset();
    if (fresh) return {};  // So soon? Not at once again.
  }
  if (asking_) return {};
  asking_ = true;
  asking_since_ = since;
  lock.unlock();
  error_ref why;
  const std::string directory = own_domain(why);
  if (!directory.empty()) {
    ask(directory);
    return {};
  }
  lock.lock();
  asking_ = false;
  return {{}, std::move(why)};
}

bool private_way::wait(base::function<void()> again) {
  {
    std::lock_guard lock(mutex_);
    if (asking_) {
      again_ = std::move(again);
      return true;
    }
    if (!fresh_) return false;
  }
  // The answer has come in between.
  engine::post(std::move(again));
  return true;
}

void private_way::ask(const std::string& directory) {
  auto question = object::dictionary::create();
  question->set("op", object::string::copy_of("private-service"));
  question->set("name", object::string::copy_of(name_));
  question->set("connection", object::string::copy_of(connection_));
  if (!instance_.empty()) question->set("instance", object::string::copy_of(instance_));
  conversation::options how;
  how.way = base::make_ref<control_dialer>(directory);
  auto talk = conversation::make(std::move(how));
  talk->set_handlers(base::make_ref<silence>());
  talk->activate();
  talk->request(*question, base::never)
      ->then(
          [self = base::ref<private_way>::share(this), talk](base::ref<object::dictionary> reply,
                                                             error_ref why) {
            talk->cancel(connection::make_error(OPENXPC_ERROR_CANCELED, "answered"));
            self->answered(std::move(reply), std::move(why));
          },
          nullptr);
}

void private_way::answered(base::ref<object::dictionary> reply, error_ref why) {
  if (reply && text_of(*reply, "ask") == "system") {
    error_ref none;
    domain_choice system;
    system.which = domain_choice::kind::system;
    return ask(domain_directories(system, none).front());
  }
  const bool lost = why && why->code() == OPENXPC_ERROR_INTERRUPTED;
  {
    std::lock_guard lock(mutex_);
    if (lost && base::boot_clock::now() - asking_since_ < patience) return ask_later();
    auto* endpoint = reply ? object::as<object::endpoint>(reply->get("endpoint")) : nullptr;
    if (endpoint) endpoint_ = base::fd::copy(endpoint->borrowed_fd());
    if (why && why->code() == OPENXPC_ERROR_NOT_FOUND &&
        stands_beside(name_) != standing::certain) {
      elsewhere_ = true;
    } else if (why) {
      failure_ = std::move(why);
    } else if (!endpoint_) {
      failure_ = connection::make_error(OPENXPC_ERROR_NO_RESOURCES,
                                        "no descriptor is left for a way to the service " + name_);
    }
    asking_ = false;
    fresh_ = true;
  }
  wake();
}

/// The service manager went away in the middle: the next one knows the answer too.
void private_way::ask_later() {
  if (!later_)
    later_ = engine::timer(engine::any_loop(), [self = base::ref<private_way>::share(this)] {
      engine::timer spent;
      {
        std::lock_guard lock(self->mutex_);
        spent = std::move(self->later_);
        self->asking_ = false;
        self->fresh_ = true;
      }
      self->wake();
    });
  later_.schedule(base::from_now(pause));
}

void private_way::wake() {
  base::function<void()> again;
  {
    std::lock_guard lock(mutex_);
    again = std::move(again_);
  }
  if (again) again();
}

}  // namespace openxpc::bootstrap
