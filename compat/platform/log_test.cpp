#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <errno.h>
#include <os/log.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <string>

#include "platform/log_format.hpp"
#include "platform/log_sink.hpp"

namespace {

using namespace openxpc::platform;

std::string formatted(const char* format, ...) {
  message_text text;
  va_list arguments;
  va_start(arguments, format);
  format_message(text, format, arguments, ENOENT);
  va_end(arguments);
  return std::string(text.view());
}

TEST(LogFormat, ConvertsAsPrintf) {
  EXPECT_EQ(formatted("plain"), "plain");
  EXPECT_EQ(formatted("%d %5d|%-5d|%05d %+d", 1, 2, 3, 4, 5), "1     2|3    |00004 +5");
  EXPECT_EQ(formatted("%u %x %#X %o", 7u, 255u, 255u, 8u), "7 ff 0XFF 10");
  EXPECT_EQ(formatted("%ld %lld %zu %jd %td", -1L, -2LL, std::size_t{3}, std::intmax_t{4},
                      std::ptrdiff_t{5}),
            "-1 -2 3 4 5");
  EXPECT_EQ(formatted("%hhd %hhu %hd", 257, 257, 65537), "1 1 1");
  EXPECT_EQ(formatted("%.2f %g %Lf %e", 1.005, 0.5, 2.5L, 1000.0),
            "1.00 0.5 2.500000 1.000000e+03");
  EXPECT_EQ(formatted("%s|%5s|%.2s|%c%%", "a", "b", "cde", 'f'), "a|    b|cd|f%");
  EXPECT_EQ(formatted("%*d|%-*d|%.*s", 4, 1, 4, 2, 3, "abcdef"), "   1|2   |abc");
  EXPECT_EQ(formatted("%s", static_cast<const char*>(nullptr)), "(null)");
  EXPECT_EQ(formatted("%ls", L"wide"), "wide");
}

TEST(LogFormat, HidesWhatIsPrivateAndShowsTheRest) {
  EXPECT_EQ(formatted("%{private}s %{public}s %s", "a", "b", "c"), "<private> b c");
  EXPECT_EQ(formatted("%{private}d %{sensitive}f %{private}p %d", 1, 2.0, nullptr, 3),
            "<private> <private> <private> 3");
  EXPECT_EQ(formatted("%{public, name=who}s %{ private , x}u", "a", 4u), "a <private>");
}

TEST(LogFormat, ShowsWhatAValueMeans) {
  EXPECT_EQ(formatted("%{errno}d", EACCES), "[13: Permission denied]");
  EXPECT_EQ(formatted("%{public,darwin.errno}d %m", EPERM),
            "[1: Operation not permitted] No such file or directory");
  EXPECT_EQ(formatted("%{bool}d %{BOOL}d", 1, 0), "true NO");
  const unsigned char uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};
  EXPECT_EQ(formatted("%{uuid_t}.16P", uuid), "01020304-0506-0708-090A-0B0C0D0E0FFF");
  EXPECT_EQ(formatted("%.*P", 2, uuid), "0102");
  EXPECT_EQ(formatted("%{private}.3P|%d", uuid, 5), "<private>|5");
}

TEST(LogFormat, WritesNothingIntoTheProgramAndStopsAtTheUnknown) {
  int untouched = 7;
  EXPECT_EQ(formatted("a%nb", &untouched), "ab");
  EXPECT_EQ(untouched, 7);
  EXPECT_EQ(formatted("a %y %d", 1), "a %y %d");
  EXPECT_EQ(formatted("open %{brace"), "open %{brace");
  EXPECT_EQ(formatted("end %"), "end %");
}

TEST(LogFormat, IsCutBetweenCharacters) {
  const std::string long_text = std::string(message_text::capacity - 1, 'x') + "é!";
  EXPECT_EQ(formatted("%s", long_text.c_str()).size(), message_text::capacity - 1);
  EXPECT_EQ(formatted("%s%s", long_text.c_str(), "more").size(), message_text::capacity - 1);
  EXPECT_EQ(formatted(long_text.c_str()).size(), message_text::capacity - 1);
  const std::string fits = std::string(message_text::capacity - 2, 'x') + "é";
  EXPECT_EQ(formatted("%s", fits.c_str()), fits);
  EXPECT_LE(formatted("%.30000f|%30000d", 1.0, 1).size(), message_text::capacity);
}

/// A socket where journald would listen.
class journal {
 public:
  journal() : path_(std::filesystem::path(::getenv("XDG_RUNTIME_DIR")) / "journal") {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strcpy(at.sun_path, path_.c_str());
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  std::string read() const {
    char bytes[4096];
    const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    return size < 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
  }
  const char* path() const { return path_.c_str(); }

 private:
  std::filesystem::path path_;
  openxpc::base::fd socket_;
};

TEST(LogSink, JournalGetsFields) {
  journal at;
  ASSERT_TRUE(send_to_journal(at.path(), {LOG_ERR, "org.example.d", "net", "it broke"}));
  EXPECT_EQ(at.read(),
            "PRIORITY=3\nSYSLOG_IDENTIFIER=" + std::string(program_invocation_short_name) +
                "\nSYSLOG_PID=" + std::to_string(::getpid()) +
                "\nOS_LOG_SUBSYSTEM=org.example.d\nOS_LOG_CATEGORY=net\n"
                "MESSAGE=it broke\n");
}

TEST(LogSink, LinesInAMessageForgeNoFields) {
  journal at;
  const std::string_view text = "one\nPRIORITY=0";
  ASSERT_TRUE(send_to_journal(at.path(), {LOG_INFO, "", "", text}));
  const std::string all = at.read();
  const std::string expected("MESSAGE\n\x0e\0\0\0\0\0\0\0one\nPRIORITY=0\n", 8 + 8 + 14 + 1);
  ASSERT_GE(all.size(), expected.size());
  EXPECT_EQ(all.substr(all.size() - expected.size()), expected);
  EXPECT_EQ(all.find("OS_LOG_SUBSYSTEM"), std::string::npos);
}

TEST(LogSink, WithoutJournalTheCallerIsTold) {
  EXPECT_FALSE(send_to_journal("/nonexistent/socket", {LOG_INFO, "", "", "x"}));
  EXPECT_FALSE(send_to_journal(std::string(200, 'x').c_str(), {LOG_INFO, "", "", "x"}));
}

/// Logs on every level; `argument` is evaluated once a message that goes somewhere.
XPC_TEST_ROLE(logs) {
  int evaluated = 0;
  os_log_t log = os_log_create("org.example.daemon", "main");
  if (log != os_log_create("org.example.daemon", "main")) return 2;
  if (log == os_log_create("org.example.daemon", "other")) return 3;
  errno = EBADF;
  os_log(log, "default %{public}s %d", "text", ++evaluated);
  os_log_info(log, "info %d", ++evaluated);
  os_log_debug(log, "debug %d", ++evaluated);
  os_log_error(log, "error %m %d", ++evaluated);
  os_log_fault(OS_LOG_DEFAULT, "fault %{private}s %d", "secret", ++evaluated);
  os_log(OS_LOG_DISABLED, "disabled %d", ++evaluated);
  return errno == EBADF ? 10 + evaluated : 4;
}

xpc_testing::child start(const char* mode) {
  xpc_testing::child_options options;
  options.environment = {"OS_ACTIVITY_DT_MODE=YES", mode};
  options.keep_stderr = true;
  return xpc_testing::child::role("logs", options);
}

TEST(Log, MessagesOfEnabledTypesArriveAndTheOthersCostNothing) {
  auto usual = start("OS_ACTIVITY_MODE=");
  EXPECT_EQ(usual.wait(), (xpc_testing::ending{14, 0}));
  const std::string text = usual.error_text();
  EXPECT_NE(text.find("[org.example.daemon:main] default text 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("info 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("error Bad file descriptor 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[:] fault <private> 4\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("debug"), std::string::npos) << text;
  EXPECT_EQ(text.find("disabled"), std::string::npos) << text;
}

TEST(Log, EnvironmentSaysWhatIsEnabled) {
  auto debugging = start("OS_ACTIVITY_MODE=debug");
  EXPECT_EQ(debugging.wait(), (xpc_testing::ending{15, 0}));
  EXPECT_NE(debugging.error_text().find("debug 3\n"), std::string::npos);
  auto quiet = start("OS_ACTIVITY_MODE=disable");
  EXPECT_EQ(quiet.wait(), (xpc_testing::ending{12, 0}));
  EXPECT_EQ(quiet.error_text().find("default"), std::string::npos);
}

}  // namespace
