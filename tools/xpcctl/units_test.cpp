// Jobs in the words of systemd: what stands in the units, what is warned about, and what systemd's
// own judge says.

#include "support/child.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using xpc_testing::run_result;

constexpr const char* analyze = "/usr/bin/systemd-analyze";

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

class Units : public ::testing::Test {
 protected:
  run_result exported(const std::string& json, std::vector<std::string> more = {"--system"}) {
    std::ofstream(root + "/job.json") << json;
    std::vector<std::string> arguments{"systemd-export", root + "/job.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = std::move(arguments), .keep_stderr = true});
  }
  /// Lines that the units of a job with these keys have, each with its line end.
  std::string units(const std::string& more, const std::string& program = "/bin/true") {
    run_result said = exported(R"({"Label": "org.job", "Program": ")" + program + "\"" +
                               (more.empty() ? "" : ", " + more) + "}");
    EXPECT_EQ(said.end.status, EX_OK) << said.error;
    warnings = said.error;
    return said.output;
  }
  std::string warnings;
  const std::string root = xpc_testing::runtime_directory();
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Units, AServiceWithANameIsStartedByItsSocketAndSaysWhenItIsReady) {
  const std::string text = units(R"("MachServices": {"org.name": true})");
  EXPECT_EQ(warnings, "");
  EXPECT_EQ(text,
            "# org.job.service\n"
            "[Unit]\nDescription=org.job\nStartLimitIntervalSec=60\nStartLimitBurst=5\n\n"
            "[Service]\nType=notify\nNotifyAccess=main\nWatchdogSec=60\nSockets=org.job.socket\n"
            "ExecStart=:/bin/true\nUMask=0022\nNoNewPrivileges=yes\nWorkingDirectory=/\n"
            "KillMode=mixed\nTimeoutStopSec=20\n\n"
            "# org.job.socket\n"
            "[Unit]\nDescription=org.name of org.job\n\n"
            "[Socket]\nListenSequentialPacket=%t/xpc/org.name\nSocketMode=0666\n"
            "DirectoryMode=0755\nPassCredentials=yes\nBacklog=4096\nRemoveOnStop=yes\n"
            "FileDescriptorName=org.name\nService=org.job.service\n\n"
            "[Install]\nWantedBy=sockets.target\n");
}

TEST_F(Units, EachNameAndEachEntryOfSocketsHasAUnitOfItsOwn) {
  const std::string text = units(
      R"("MachServices": {"a": true, "b": {}, "c": false}, "Sockets": {
         "tcp": [{"SockServiceName": 80}, {"SockServiceName": "81", "SockFamily": "IPv4"}],
         "six": {"SockServiceName": 82, "SockNodeName": "::1", "SockFamily": "IPv6",
                 "SockType": "dgram"},
         "path": {"SockPathName": "/run/%s", "SockPathMode": 438, "SockPathOwner": 7},
         "seq": {"SockPathName": "/run/seq", "SockType": "seqpacket"},
         "web": {"SockServiceName": "http"}})");
  EXPECT_HAS(text, "# org.job@a.socket\n");
  EXPECT_HAS(text, "# org.job@b.socket\n");
  EXPECT_EQ(text.find("org.job@c"), std::string::npos);
  EXPECT_HAS(text,
             "Sockets=org.job@a.socket org.job@b.socket org.job@Sockets@path.socket "
             "org.job@Sockets@seq.socket org.job@Sockets@six.socket org.job@Sockets@tcp.socket "
             "org.job@Sockets@web.socket\n");
  EXPECT_HAS(text, "ListenStream=80\nListenStream=0.0.0.0:81\nFileDescriptorName=tcp\n");
  EXPECT_HAS(text, "ListenDatagram=[::1]:82\nBindIPv6Only=ipv6-only\n");
  EXPECT_HAS(text, "ListenSequentialPacket=/run/seq\nSocketMode=0600\n");
  EXPECT_HAS(text, "ListenStream=/run/%%s\nSocketMode=0666\nSocketUser=7\n");
  EXPECT_EQ(warnings,
            "warning: Sockets/seq: systemd does not tell it from the socket of a name; "
            "launch_activate_socket does not give it\n"
            "warning: Sockets/web: a unit takes numbers only; write the address and the "
            "port instead of names\n");
}

TEST_F(Units, ArgumentsAndVariablesArriveAsTheyAre) {
  const std::string text = units(
      R"("ProgramArguments": ["argv0", "a b", "100%", "$HOME", ";", "", "\"q\\", "tab\t"],
         "EnvironmentVariables": {"TEA": "green tea", "BAD-NAME": "x"})");
  EXPECT_HAS(text,
             "ExecStart=:@/bin/true argv0 \"a b\" 100%% \"$HOME\" \\; \"\" \"\\\"q\\\\\" "
             "\"tab\\x09\"\n");
  EXPECT_HAS(text, "Environment=\"TEA=green tea\"\n");
  EXPECT_EQ(warnings,
            "warning: EnvironmentVariables/BAD-NAME: systemd knows no variable of such a name\n");
}

TEST_F(Units, WhatActsBeforeTheProgramIsTheSame) {
  const std::string text = units(
      R"("UserName": "nobody", "GroupName": "nogroup", "Umask": 63, "NoNewPrivileges": false,
         "WorkingDirectory": "/tmp", "StandardInPath": "/dev/zero", "StandardOutPath": "/tmp/o",
         "StandardErrorPath": "/tmp/e%", "ProcessType": "Background", "LowPriorityIO": true,
         "SoftResourceLimits": {"NumberOfFiles": 10, "Core": 0},
         "HardResourceLimits": {"NumberOfFiles": 20},
         "CgroupLimits": {"MemoryMax": 1048576, "CPUQuota": 50, "TasksMax": 9},
         "AbandonProcessGroup": true, "ExitTimeOut": 0)");
  for (const char* line :
       {"User=nobody\n", "Group=nogroup\n", "UMask=0077\n", "NoNewPrivileges=no\n",
        "WorkingDirectory=/tmp\n", "StandardInput=file:/dev/zero\n",
        "StandardOutput=append:/tmp/o\n", "StandardError=append:/tmp/e%%\n", "Nice=10\n",
        "CPUSchedulingPolicy=batch\n", "IOSchedulingClass=idle\n", "LimitNOFILE=10:20\n",
        "LimitCORE=0\n", "MemoryMax=1048576\n", "CPUQuota=50%\n", "TasksMax=9\n",
        "KillMode=process\n", "TimeoutStopSec=infinity\n", "Type=simple\n"}) {
    EXPECT_HAS(text, line);
  }
  EXPECT_EQ(warnings,
            "warning: SoftResourceLimits/Core: systemd sets both limits; give the other "
            "one too if they are to differ\n");
}

TEST_F(Units, T34_ThatAJobIsHardenedIsSaidToBeLost) {
  EXPECT_HAS(units(R"("Hardened": true, "UserName": "nobody")"), "User=nobody\n");
  EXPECT_EQ(warnings, "warning: Hardened: nothing in a unit does the same\n");
}

TEST_F(Units, TimesPathsAndConditionsBecomeUnitsThatStartTheService) {
  std::string text = units(
      R"("StartInterval": 90, "StartCalendarInterval": [{"Hour": 3, "Minute": 5},
         {"Day": 1, "Weekday": 0, "Hour": 4}], "WatchPaths": ["/etc/a"],
         "QueueDirectories": ["/var/q"],
         "KeepAlive": {"PathState": {"/etc/b": true, "/etc/c": false}})");
  EXPECT_HAS(text, "# org.job.timer\n");
  EXPECT_HAS(text,
             "OnActiveSec=90\nOnUnitActiveSec=90\nOnCalendar=*-*-* 03:05:00\n"
             "OnCalendar=*-*-01 04:*:00\nOnCalendar=Sun *-*-* 04:*:00\n");
  EXPECT_HAS(text, "# org.job.path\n");
  EXPECT_HAS(text, "PathModified=/etc/a\nDirectoryNotEmpty=/var/q\nPathExists=/etc/b\n");
  EXPECT_EQ(warnings, "warning: KeepAlive/PathState//etc/c: no unit waits for a path to be gone\n");
  EXPECT_EQ(text.find("default.target"), std::string::npos);
  EXPECT_HAS(units(R"("RunAtLoad": true)"), "WantedBy=default.target\n");
  EXPECT_HAS(units(R"("KeepAlive": true, "ThrottleInterval": 3)"),
             "Restart=always\nRestartSec=3\n");
  EXPECT_HAS(units(R"("KeepAlive": {"SuccessfulExit": false})"), "Restart=on-failure\n");
  EXPECT_HAS(units(R"("KeepAlive": {"Crashed": true})"), "Restart=on-abort\n");
  EXPECT_HAS(units(R"("KeepAlive": {"SuccessfulExit": true})"), "Restart=on-success\n");
}

TEST_F(Units, WhatHasNoCounterpartIsWarnedAboutByName) {
  units(R"("Disabled": true, "EnablePressuredExit": true, "WaitForDebugger": true,
           "InitGroups": false, "Fun": 1, "EnableGlobbing": true,
           "KeepAlive": {"Crashed": false, "OtherJobEnabled": {"x": true},
                         "AfterInitialDemand": true},
           "MachServices": {"n": {"ResetAtClose": true}})");
  for (const char* key :
       {"Disabled: ", "EnablePressuredExit: ", "WaitForDebugger: ", "InitGroups: ", "Fun: ",
        "EnableGlobbing: ", "KeepAlive/Crashed: ", "KeepAlive/OtherJobEnabled/x: ",
        "KeepAlive/AfterInitialDemand: ", "MachServices/n/ResetAtClose: "}) {
    EXPECT_HAS(warnings, key);
  }
  run_result said = exported(R"({"Label": "j", "Program": "/p", "UserName": "x"})", {"--user"});
  EXPECT_EQ(said.error,
            "warning: UserName: the manager of a user starts nothing as somebody else\n");
  EXPECT_EQ(exported(R"({"Label": "j"})").end.status, EX_DATAERR);
}

TEST_F(Units, AreWrittenWholeIntoADirectoryOrGivenAsJson) {
  const std::string job = R"({"Label": "j", "Program": "/bin/true", "MachServices": {"n": true}})";
  ASSERT_TRUE(std::filesystem::create_directory(root + "/out"));
  for (int round = 0; round < 2; ++round) {
    run_result said = exported(job, {"--user", "--watchdog", "0", "--output", root + "/out"});
    EXPECT_EQ(said.end.status, EX_OK);
    EXPECT_EQ(said.output, root + "/out/j.service\n" + root + "/out/j.socket\n");
  }
  const std::string service = contents(root + "/out/j.service");
  EXPECT_HAS(service, "ExecStart=:/bin/true\n");
  EXPECT_EQ(service.find("WatchdogSec"), std::string::npos);
  EXPECT_HAS(contents(root + "/out/j.socket"), "SocketMode=0600\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root + "/out"), {}), 2);
  EXPECT_EQ(exported(job, {"--output", root + "/nowhere"}).end.status, EX_CANTCREAT);
  const std::string json = exported(job, {"--user", "--json"}).output;
  EXPECT_HAS(json, "\"j.socket\": \"[Unit]\\n");
  EXPECT_HAS(json, "\"warnings\": []");
}

TEST_F(Units, SystemdFindsNothingToSay) {
  if (::access(analyze, X_OK) != 0) GTEST_SKIP() << "there is no systemd-analyze";
  const std::string job =
      R"({"Label": "org.job", "Program": "/bin/true", "ProgramArguments": ["a 0", "100%", "$HOME"],
          "MachServices": {"org.one": true, "org.two": true},
          "Sockets": {"tcp": {"SockServiceName": 8080}, "p": {"SockPathName": "/run/p.sock"}},
          "EnvironmentVariables": {"TEA": "green \"tea\""}, "RunAtLoad": true,
          "StartInterval": 60, "StartCalendarInterval": {"Weekday": 1, "Hour": 4, "Minute": 30},
          "WatchPaths": ["/etc/hostname"], "QueueDirectories": ["/tmp"],
          "KeepAlive": {"SuccessfulExit": true, "Crashed": true, "PathState": {"/etc": true}},
          "Umask": "027", "Nice": 5, "ProcessType": "Background", "LowPriorityIO": true,
          "SoftResourceLimits": {"NumberOfFiles": 64, "CPU": 100, "Core": 0, "Data": 1000000,
                                 "FileSize": 100000, "MemoryLock": 0, "NumberOfProcesses": 9,
                                 "Stack": 1000000},
          "HardResourceLimits": {"NumberOfFiles": 128},
          "CgroupLimits": {"MemoryMax": 1048576, "MemoryHigh": 1048576, "MemorySwapMax": 0,
                           "CPUQuota": 150, "CPUWeight": 20, "IOWeight": 30, "TasksMax": 9},
          "StandardOutPath": "/tmp/o", "StandardErrorPath": "/tmp/e", "StandardInPath": "/dev/null",
          "WorkingDirectory": "/tmp", "ExitTimeOut": 3})";
  for (const std::string manager : {"--system", "--user"}) {
    const std::string directory = root + "/units" + manager;
    ASSERT_TRUE(std::filesystem::create_directory(directory));
    ASSERT_EQ(exported(job, {manager, "--output", directory}).end.status, EX_OK);
    std::vector<std::string> arguments{manager, "verify"};
    for (const auto& unit : std::filesystem::directory_iterator(directory)) {
      arguments.push_back(unit.path());
    }
    ASSERT_EQ(arguments.size(), 2u + 1 + 4 + 1 + 1);
    run_result said = xpc_testing::run(
        analyze, {.arguments = arguments,
                  .environment = {"SYSTEMD_LOG_LEVEL=info", "LD_PRELOAD", "ASAN_OPTIONS"},
                  .keep_stderr = true});
    EXPECT_EQ(said.error, "") << manager;
    EXPECT_EQ(said.end.status, 0) << manager;
  }
}

}  // namespace
