#include "plist/dump_test.hpp"
#include "plist/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::plist {
namespace {

std::string xml(std::string_view text, const limits& most = {}) {
  node out;
  out.text = "untouched";
  auto wrong = read_xml(text, out, most);
  if (wrong) {
    EXPECT_EQ(out.text, "untouched");
  }
  return wrong ? describe(*wrong, "f") : dump(out);
}
/// In a <plist>, which does not change the line.
std::string in_plist(std::string_view text, const limits& most = {}) {
  return xml("<plist>" + std::string(text) + "</plist>", most);
}

TEST(PlistXml, ReadsEveryType) {
  EXPECT_EQ(
      xml(R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- a comment -->
<plist version="1.0">
<dict>
  <key>Label</key> <string>org.example &lt;&amp;&gt;&quot;&apos;&#233;&#x1F600;</string>
  <key>Yes</key> <true/> <key>No</key> <false></false>
  <key>Max</key> <integer>9223372036854775807</integer>
  <key>Beyond</key> <integer>18446744073709551615</integer>
  <key>Minus</key> <integer>-5</integer>
  <key>Real</key> <real>1.5</real>
  <key>When</key> <date>2023-11-14T22:13:20Z</date>
  <key>Data</key> <data>
    AAEC
    Aw==
  </data>
  <key>List</key> <array> <string/> <string> <![CDATA[<raw>]]></string> <array/> <dict/> </array>
  <key></key> <string>the empty key</string>
</dict>
</plist>
)"),
      "{Label:'org.example "
      "<&>\"'\xc3\xa9\xf0\x9f\x98\x80',Yes:true,No:false,Max:9223372036854775807,"
      "Beyond:18446744073709551615u,Minus:-5,Real:1.5,When:@1700000000000000000,Data:<00010203>,"
      "List:['',' <raw>',[],{}],:'the empty key'}");
}

TEST(PlistXml, ReadsRootsOfAnyTypeAndOtherEncodings) {
  EXPECT_EQ(in_plist("<string>x</string>"), "'x'");
  EXPECT_EQ(in_plist("<!-- c --><true/><!-- d --><?pi?>"), "true");
  EXPECT_EQ(xml("\xef\xbb\xbf<plist><integer>1</integer></plist>"), "1");
  EXPECT_EQ(xml("<?xml version='1.0' encoding='ISO-8859-1'?><plist><string>\xe9</string></plist>"),
            "'\xc3\xa9'");
  std::string wide("\xff\xfe", 2);
  for (char c : std::string_view("<plist><true/></plist>")) wide += std::string{c, '\0'};
  EXPECT_EQ(xml(wide), "true");
}

struct bad {
  const char* text;
  const char* said;
};

TEST(PlistXml, RefusesWithLineColumnAndReason) {
  const bad table[] = {
      {"<dict/>", "f:1:1: expected <plist>, found <dict>"},
      {"<html/>", "f:1:1: unknown element <html>"},
      {"<plist/>", "f:1:1: <plist> without a value"},
      {"<plist>\n</plist>", "f:1:1: <plist> without a value"},
      {"<plist version=\"2.0\"/>", "f:1:1: property list version \"2.0\", expected \"1.0\""},
      {"<plist lang=\"x\"/>", "f:1:1: <plist> has no attribute \"lang\""},
      {"<plist><dict a=\"b\"/></plist>", "f:1:8: <dict> has no attribute \"a\""},
      {"<plist><true/>\n  <true/></plist>", "f:2:3: a second value in <plist>: <true>"},
      {"<plist><plist/></plist>", "f:1:8: <plist> inside of <plist>"},
      {"<plist><dict>\n <key>A</key>\n</dict></plist>", "f:2:2: key \"A\" has no value"},
      {"<plist><dict>\n <key>A</key>\n <key>B</key><true/></dict></plist>",
       "f:2:2: key \"A\" has no value"},
      {"<plist><dict>\n <true/></dict></plist>", "f:2:2: expected <key>, found <true>"},
      {"<plist><dict>\n <key>A</key><true/>\n <string>x</string></dict></plist>",
       "f:3:2: expected <key>, found <string>"},
      {"<plist><array><key>A</key></array></plist>", "f:1:15: <key> outside of <dict>"},
      {"<plist><key>A</key></plist>", "f:1:8: <key> outside of <dict>"},
      {"<plist><dict>\n<key>A</key><true/>\n<key>B</key><true/>\n "
       "<key>A</key><false/></dict></plist>",
       "f:4:2: key \"A\" stands twice; the first is at line 2"},
      {"<plist><array>\n  junk <true/></array></plist>",
       "f:2:3: text \"junk\" between the elements"},
      {"<plist><dict>\n<key>A</key> = <true/></dict></plist>",
       "f:2:14: text \"=\" between the elements"},
      {"<plist><string>a<true/></string></plist>", "f:1:17: <string> cannot hold <true>"},
      {"<plist><integer><integer>1</integer></integer></plist>",
       "f:1:17: <integer> cannot hold <integer>"},
      {"<plist><true>yes</true></plist>", "f:1:8: <true>: must be empty, holds \"yes\""},
      {"<plist><integer>12abc</integer></plist>", "f:1:8: <integer>: \"12abc\" is not an integer"},
      {"<plist><integer/></plist>", "f:1:8: <integer>: \"\" is not an integer"},
      {"<plist><integer>18446744073709551616</integer></plist>",
       "f:1:8: <integer>: the integer \"18446744073709551616\" does not fit in 64 bits"},
      {"<plist><real>1,5</real></plist>", "f:1:8: <real>: \"1,5\" is not a number"},
      {"<plist><date>today</date></plist>",
       "f:1:8: <date>: \"today\" is not a date of the form 2026-11-24T12:34:56Z"},
      {"<plist><data>A*==</data></plist>",
       "f:1:8: <data>: base 64: \"*\" is not of its alphabet, at character 2"},
      {"<plist>\n<dict>\n</plist>", "f:3:3: XML: mismatched tag; <dict> of line 2 is not closed"},
      {"<plist>\n<array>", "f:2:8: XML: no element found; <array> of line 2 is not closed"},
      {"<plist><true/></plist>\n<plist/>", "f:2:1: XML: junk after document element"},
      {"<plist><string>a & b</string></plist>", "f:1:19: XML: not well-formed (invalid token)"},
      {"<plist><string>\xff</string></plist>", "f:1:16: XML: not well-formed (invalid token)"},
      {"<plist><string>&#0;</string></plist>",
       "f:1:16: XML: reference to invalid character number"},
      {"<plist>\xc3\xa9", "f:1:8: text \"\xc3\xa9\" between the elements"},
      {"<plist><string>\xc3\xa9\xc3\xa9</string>\xc3\xa9</plist>",
       "f:1:27: text \"\xc3\xa9\" between the elements"},
      {"", "f:1:1: XML: no element found"},
      {"<?xml version='1.0' encoding='klingon'?><plist/>", "f:1:31: XML: unknown encoding"},
  };
  for (const bad& each : table) EXPECT_EQ(xml(each.text), each.said) << each.text;
}

TEST(PlistXml, T63_KnowsNoEntitiesBeyondTheFive) {
  EXPECT_EQ(in_plist("<string>&lol;</string>"),
            "f:1:16: unknown entity; only &lt; &gt; &amp; &quot; &apos; and character references "
            "are known");
  // An external DTD makes expat skip what it does not know rather than complain.
  EXPECT_EQ(
      xml("<!DOCTYPE plist PUBLIC \"a\" \"http://b/\">\n<plist><string>&lol;</string></plist>"),
      "f:2:16: unknown entity \"lol\"; only &lt; &gt; &amp; &quot; &apos; and character references "
      "are known");
  EXPECT_EQ(xml("<!DOCTYPE plist [<!ENTITY a \"x\">]>\n<plist><string>&a;</string></plist>"),
            "f:1:17: a DOCTYPE with declarations of its own (entities are not allowed)");
  EXPECT_EQ(xml("<!DOCTYPE plist SYSTEM \"file:///etc/passwd\" [<!ENTITY % b SYSTEM "
                "\"file:///etc/passwd\"> %b;]>\n<plist/>"),
            "f:1:45: a DOCTYPE with declarations of its own (entities are not allowed)");
  EXPECT_EQ(xml("<!DOCTYPE html><plist/>"), "f:1:15: a DOCTYPE of \"html\", expected plist");
}

TEST(PlistXml, T63_BoundsDepthCountAndSize) {
  auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += "<array>";
    for (int i = 0; i < levels; ++i) text += "</array>";
    return text;
  };
  EXPECT_EQ(in_plist(nested(64)).substr(0, 3), "[[[");
  EXPECT_EQ(in_plist(nested(65)), "f:1:456: nested deeper than 64 levels");
  EXPECT_EQ(in_plist(nested(300'000)), "f:1:456: nested deeper than 64 levels");

  limits few;
  few.nodes = 3;
  EXPECT_EQ(in_plist("<array><true/><true/></array>", few), "[true,true]");
  EXPECT_EQ(in_plist("<array><true/><true/><true/></array>", few), "f:1:29: more than 3 values");
  few.payload = 4;
  EXPECT_EQ(in_plist("<dict><key>ab</key><string>cde</string></dict>", few),
            "f:1:27: more than 4 bytes of text and data");
  few.bytes = 10;
  EXPECT_EQ(in_plist("<true/>", few), "f:1:1: longer than 10 bytes");
}

TEST(PlistXml, KnowsWhereEachKeyStands) {
  node out;
  ASSERT_FALSE(read_xml("<plist>\n<dict>\n  <key>A</key>\n    <true/></dict></plist>", out));
  const node& a = out.children.at(0);
  EXPECT_EQ(a.key_at.line, 3u);
  EXPECT_EQ(a.key_at.column, 3u);
  EXPECT_EQ(a.at.line, 4u);
  EXPECT_EQ(a.at.column, 5u);
  EXPECT_EQ(a.at.offset, 34u);
}

}  // namespace
}  // namespace openxpc::plist
