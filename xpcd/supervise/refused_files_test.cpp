#include "supervise/refused_files.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

refused_file one(const std::string& reason) {
  refused_file made;
  made.label = "a";
  made.names = {"a.one", "a.two"};
  made.names_are_known = true;
  made.reason = reason;
  return made;
}

TEST(RefusedFiles, AnErrorLosesTheFileThatItIsAbout) {
  EXPECT_EQ(reason_without_file("/d/a.plist", "/d/a.plist:5: RunAtLoad: expected bool"),
            "line 5: RunAtLoad: expected bool");
  EXPECT_EQ(reason_without_file("/d/a.plist", "/d/a.plist: No such file or directory"),
            "No such file or directory");
  EXPECT_EQ(reason_without_file("/d/a", "/d/a:5: x\n/d/a:7: y\n/d/ab:8: z"),
            "line 5: x\nline 7: y\n/d/ab:8: z");
  EXPECT_EQ(reason_without_file("/d/a", "a: is disabled"), "a: is disabled");
  EXPECT_EQ(reason_without_file("/d/a", "/d/a:"), "");
}

TEST(RefusedFiles, WhoLooksForANameIsToldTheFileTheReasonAndWhatHelps) {
  EXPECT_EQ(why_unserved("/d/a", one("line 5: x")),
            "/d/a declares it and was not loaded: line 5: x; once that is mended, xpcctl bootstrap "
            "/d/a loads it");
  EXPECT_EQ(why_unserved("/d/a", one("line 5: x\nline 6: y\nline 7: z")),
            "/d/a declares it and was not loaded: line 5: x (and 2 more); once that is mended, "
            "xpcctl bootstrap /d/a loads it");
}

TEST(RefusedFiles, WhoLooksForAnyOtherNameIsToldOfThoseThatMayDeclareIt) {
  refused_files all;
  EXPECT_EQ(why_perhaps_unserved(all), "");
  all.note("/d/a", one("line 5: x"));
  EXPECT_EQ(why_perhaps_unserved(all), "") << "its names are known";
  refused_file broken;
  broken.is_for_all = true;
  broken.reason = "line 1: " + std::string(500, 'x') + "\nline 2: y";
  all.note("/d/b", broken);
  const std::string shortened = "line 1: " + std::string(192, 'x');
  EXPECT_EQ(why_perhaps_unserved(all),
            "what a file declares cannot be read, perhaps this name: /d/b: " + shortened);
  refused_file closed;
  closed.reason = "no property list";
  all.note("/d/0", closed);
  EXPECT_EQ(why_perhaps_unserved(all),
            "what 2 files declare cannot be read, perhaps this name, such as /d/b: " + shortened);
  all.forget("/d/b");
  EXPECT_EQ(why_perhaps_unserved(all), "what a file declares cannot be read, perhaps this name");
}

TEST(RefusedFiles, OthersAreShownThoseForAll) {
  refused_files all;
  refused_file open = one("x");
  open.is_for_all = true;
  all.note("/d/a", open);
  all.note("/d/b", one("y"));
  EXPECT_EQ(::xpc_array_get_count(all.list().get()), 2u);
  object_ref shown = all.list(refused_files::which::for_all);
  ASSERT_EQ(::xpc_array_get_count(shown.get()), 1u);
  EXPECT_EQ(get_text(::xpc_array_get_value(shown.get(), 0), "origin"), "/d/a");
}

TEST(RefusedFiles, ThoseThatAreNotRememberedMayDeclareItToo) {
  refused_files all;
  for (int count = 0; count < 101; ++count) all.note("/d/" + std::to_string(count), one("x"));
  EXPECT_EQ(why_perhaps_unserved(all),
            "more files were not loaded than xpcd remembers, and one of them may declare it");
  all.forget("/d/7");
  refused_file broken;
  broken.is_for_all = true;
  broken.reason = "x";
  all.note("/d/broken", broken);
  EXPECT_EQ(why_perhaps_unserved(all),
            "what more than 1 files declare cannot be read, perhaps this name, such as "
            "/d/broken: x");
}

TEST(RefusedFiles, AreBoundedInNumberAndSize) {
  refused_files all;
  for (int count = 0; count < 100; ++count) {
    EXPECT_NE(all.note("/d/" + std::to_string(count), one("x")), nullptr);
  }
  EXPECT_FALSE(all.has_more());
  EXPECT_EQ(all.note("/d/more", one("x")), nullptr);
  EXPECT_TRUE(all.has_more());
  EXPECT_EQ(all.find("/d/more"), nullptr);
  EXPECT_NE(all.note("/d/7", one("y")), nullptr) << "one that is known may change";
  all.forget("/d/7");
  refused_file large = one(std::string(5000, 'x'));
  large.names.resize(1000, "n");
  const refused_file* kept = all.note("/d/more", large);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->names.size(), 100u);
  EXPECT_EQ(kept->reason.size(), 903u);
}

TEST(RefusedFiles, AreAsTheyWereForTheNextServiceManager) {
  refused_files before, after;
  before.note("/d/a", one("line 5: x"));
  refused_file off = one("is disabled");
  off.now = refused_file::state::disabled;
  before.note("/d/b", off);
  refused_file broken;
  broken.reason = "no property list";
  before.note("/d/c", broken);
  after.restore(before.list().get());
  EXPECT_TRUE(::xpc_equal(after.list().get(), before.list().get()));
  ASSERT_NE(after.find("/d/b"), nullptr);
  EXPECT_EQ(after.find("/d/b")->now, refused_file::state::disabled);
  EXPECT_EQ(after.find("/d/a")->names, (std::vector<std::string>{"a.one", "a.two"}));
  EXPECT_FALSE(after.find("/d/c")->names_are_known);
}

TEST(RefusedFiles, WhatIsNoListOfThemIsNotTaken) {
  refused_files all;
  all.restore(nullptr);
  all.restore(new_string("x").get());
  object_ref list = new_array();
  append(list.get(), new_string("x"));
  append(list.get(), new_dictionary());
  object_ref odd = new_dictionary();
  set(odd.get(), "origin", "relative");
  append(list.get(), std::move(odd));
  object_ref bad = new_dictionary();
  set(bad.get(), "origin", "/d/a");
  set(bad.get(), "declared-label", "../up");
  object_ref names = new_array();
  append(names.get(), new_string("../up"));
  set(bad.get(), "names", std::move(names));
  append(list.get(), std::move(bad));
  all.restore(list.get());
  ASSERT_EQ(all.all().size(), 1u);
  EXPECT_EQ(all.find("/d/a")->label, "");
  EXPECT_TRUE(all.find("/d/a")->names.empty());
}

}  // namespace
}  // namespace openxpc::supervise
