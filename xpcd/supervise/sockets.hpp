#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/outcome.hpp"
#include "job/socket_entry.hpp"
#include "supervise/supervised.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

/// The sockets of a job that are no names of services: TCP, UDP and paths anywhere.
namespace openxpc::supervise {

struct open_socket {
  std::string name;     // of the entry
  std::string address;  // for people: "127.0.0.1:80", "[::1]:80", a path
  base::fd fd;          // non-blocking; listening, or bound where it is one for datagrams
  // Of a path only: the directory it is in, the file, and which one that is.
  base::fd directory;
  std::string file;
  dev_t device = 0;
  ino_t inode = 0;
};

/// One that a job has.
struct owned_socket {
  owned_socket(asio::io_context& loop, open_socket opened)
      : it(std::move(opened)), activity_watch(loop) {}
  open_socket it;
  watch activity_watch;
};

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, free_addresses>;

/// As socket(2) takes it.
int type_of(const job::socket_entry& entry) noexcept;
/// Whether clients connect to it.
bool is_listened_at(const job::socket_entry& entry) noexcept;
/// Where an entry that has no path is to be bound. Errors name the entry and the address.
outcome<address_list> addresses_of(const job::socket_entry& entry);
/// "127.0.0.1:80", "[::1]:80"
std::string text_of(const sockaddr* address, socklen_t size);
/// The directory of a path and the file's name in it. At once (bounded_looks::look()).
outcome<base::fd> open_parent(const std::string& path, bool trusted, std::string* file);
/// Calls `then`, perhaps before this returns, when the directories of all paths were looked at, or
/// given up (bounded_looks::ask()): nobody waits long for those that are opened next.
/// @param first  the first entry that counts
void look_ahead(const std::vector<job::socket_entry>& sockets, std::size_t first, bool trusted,
                base::function<void()> then);

/// All sockets of one entry: as many as its node has addresses. What somebody else listens at is
/// left alone: of files at a path only those are replaced that nobody listens at any more, or that
/// were the job's own.
/// @param trusted the directory of a path must be one where only root can have put things
/// @param own     the files that the job had before
/// Errors name the entry and the address; conflict: it is taken.
outcome<std::vector<open_socket>> open_sockets(const job::socket_entry& entry, bool trusted,
                                               const std::vector<socket_file>& own = {});

/// A socket that a process says it got for this entry: what open_sockets() would have given.
/// @param trusted  as above
/// Errors: bad_input, when it is not one of the entry's.
outcome<open_socket> adopt_socket(const job::socket_entry& entry, base::fd socket, bool trusted);

/// Removes the file of a path, if it is still that one.
void remove_file(const open_socket& socket) noexcept;

}  // namespace openxpc::supervise
