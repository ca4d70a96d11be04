// xpc::result and xpc::failure.

#include <xpc/result.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <sysexits.h>

#include <memory>
#include <string>

namespace {

xpc::result<int> half(int of) {
  if (of % 2) return xpc::failure(xpc::errc::out_of_range, "odd");
  return of / 2;
}

}  // namespace

TEST(CppFailure, SaysCodeDomainNumberAndMessage) {
  xpc::failure words("never mind");
  EXPECT_EQ(words, xpc::errc::remote);
  EXPECT_EQ(words.domain(), "app");
  EXPECT_EQ(words.number(), 0);
  EXPECT_EQ(words.message(), "never mind");

  xpc::failure own("org.example.calculator", 1, "division by zero");
  EXPECT_EQ(own.code(), xpc::errc::remote);
  EXPECT_EQ(own.domain(), "org.example.calculator");
  EXPECT_EQ(own.number(), 1);

  xpc::failure condition(xpc::errc::unknown_method, "paint");
  EXPECT_TRUE(condition == xpc::errc::unknown_method);
  EXPECT_FALSE(condition == xpc::errc::timed_out);

  xpc::failure system(std::make_error_code(std::errc::no_such_file_or_directory), "events.db");
  EXPECT_EQ(system.domain(), "generic");
  EXPECT_EQ(system.number(), ENOENT);
  EXPECT_EQ(system.message(), "events.db: No such file or directory");
}

TEST(CppFailure, KnowsWhichConditionsMayPass) {
  for (auto code : {xpc::errc::interrupted, xpc::errc::timed_out, xpc::errc::would_block,
                    xpc::errc::too_many, xpc::errc::no_resources})
    EXPECT_TRUE(xpc::failure(code, "x").can_retry());
  for (auto code : {xpc::errc::not_found, xpc::errc::denied, xpc::errc::canceled,
                    xpc::errc::wrong_type, xpc::errc::remote})
    EXPECT_FALSE(xpc::failure(code, "x").can_retry());
}

TEST(CppFailure, KeepsEverythingWhenWordsComeInFront) {
  xpc::failure inner("org.example", 7, "broken");
  xpc::failure outer = inner.within("rows[3].size: ");
  EXPECT_EQ(outer.message(), "rows[3].size: broken");
  EXPECT_EQ(outer.domain(), "org.example");
  EXPECT_EQ(outer.number(), 7);
  EXPECT_EQ(inner.message(), "broken");
}

TEST(CppFailure, ExplainsWhatLedToItAndWhatToDo) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = OPENXPC_ERROR_LAUNCH_FAILED;
  parts.flags = OPENXPC_ERROR_HAS_EXIT_STATUS;
  parts.message = "org.example.x cannot be started";
  parts.remedy = "xpcctl print org.example.x";
  xpc::failure cause(xpc::errc::not_found, "no such program");
  parts.cause = cause.native_handle();
  parts.exit_status = SIGKILL;
  auto whole = xpc::failure::adopt_native(openxpc_error_create(&parts));
  EXPECT_EQ(whole.explain(),
            "org.example.x cannot be started (launch_failed)\n"
            "  the other process was ended by signal 9 (Killed)\n"
            "  because: no such program (not_found)\n"
            "  try: xpcctl print org.example.x");
  ASSERT_TRUE(whole.cause());
  EXPECT_EQ(*whole.cause(), xpc::errc::not_found);
  ASSERT_TRUE(whole.peer_exit_status());
  EXPECT_TRUE(WIFSIGNALED(*whole.peer_exit_status()));
  EXPECT_FALSE(cause.cause());
  EXPECT_FALSE(cause.peer_exit_status());
  testing::internal::CaptureStderr();
  EXPECT_EQ(xpc::report(whole), EX_UNAVAILABLE);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), whole.explain() + "\n");
}

TEST(CppFailure, GivesTheShellACodeThatFits) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(xpc::report(xpc::failure(xpc::errc::denied, "x")), EX_NOPERM);
  EXPECT_EQ(xpc::report(xpc::failure(xpc::errc::timed_out, "x")), EX_TEMPFAIL);
  EXPECT_EQ(xpc::report(xpc::failure(xpc::errc::wrong_type, "x")), EX_DATAERR);
  EXPECT_EQ(xpc::report(xpc::failure("x")), EX_SOFTWARE);
  testing::internal::GetCapturedStderr();
}

TEST(CppResult, HoldsAValueOrAFailure) {
  auto good = half(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  EXPECT_EQ(good.value_or(7), 2);
  auto bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), xpc::errc::out_of_range);
  EXPECT_EQ(bad.value_or(7), 7);
}

TEST(CppResult, ValueThrowsTheFailure) {
  try {
    half(3).value();
    FAIL() << "nothing was thrown";
  } catch (const xpc::bad_result& thrown) {
    EXPECT_EQ(thrown.error(), xpc::errc::out_of_range);
    EXPECT_STREQ(thrown.what(), "odd");
  }
  xpc::result<void> done;
  EXPECT_NO_THROW(done.value());
  EXPECT_THROW(xpc::result<void>(xpc::failure("no")).value(), xpc::bad_result);
}

TEST(CppResultDeathTest, OperatorsAbortOnAFailureAndErrorOnAValue) {
  auto bad = half(3);
  auto good = half(4);
  EXPECT_DEATH(*bad, "a value was taken out of a failure: odd");
  EXPECT_DEATH(good.error(), "error\\(\\) of a result that has a value");
  xpc::result<std::string> text = xpc::failure("no");
  EXPECT_DEATH(text->size(), "no");
}

TEST(CppResult, HoldsWhatCannotBeCopied) {
  xpc::result<std::unique_ptr<int>> from = std::make_unique<int>(5);
  xpc::result<std::unique_ptr<int>> to = std::move(from);
  EXPECT_EQ(**to, 5);
  to = xpc::result<std::unique_ptr<int>>(xpc::failure("gone"));
  EXPECT_FALSE(to);
  to = std::make_unique<int>(6);
  std::unique_ptr<int> out = std::move(to).value();
  EXPECT_EQ(*out, 6);
}

TEST(CppResult, CopiesAndConverts) {
  xpc::result<const char*> narrow = "text";
  xpc::result<std::string> wide = narrow;
  EXPECT_EQ(*wide, "text");
  xpc::result<std::string> copy = wide;
  *copy += "!";
  EXPECT_EQ(*wide, "text");
  copy = xpc::failure("no");
  EXPECT_TRUE(wide);
  xpc::result<std::string> failed = xpc::result<const char*>(xpc::failure("no"));
  EXPECT_EQ(failed.error().message(), "no");
}

TEST(CppResult, PassesFailuresThroughItsChain) {
  auto length = [](std::string text) { return text.size(); };
  EXPECT_EQ(xpc::result<std::string>("four")
                .transform(length)
                .and_then([](std::size_t n) { return half(static_cast<int>(n)); })
                .value(),
            2);
  auto broken = half(3).transform([](int n) { return n + 1; }).and_then(half);
  EXPECT_EQ(broken.error(), xpc::errc::out_of_range);
  EXPECT_EQ(half(3).or_else([](const xpc::failure&) { return xpc::result<int>(0); }).value(), 0);
  int seen = 0;
  EXPECT_TRUE(half(8).transform([&](int n) { seen = n; }));
  EXPECT_EQ(seen, 4);
  EXPECT_EQ(xpc::result<void>().transform([] { return 1; }).value(), 1);
  EXPECT_FALSE(xpc::result<void>(xpc::failure("no")).and_then([] { return half(2); }));
}

TEST(CppResult, IteratesOverAValueMovedOutOfATemporary) {
  auto make = [] { return xpc::result<std::string>("abc"); };
  std::string seen;
  for (char each : make().value()) seen += each;
  EXPECT_EQ(seen, "abc");
}
