// SPDX-License-Identifier: MIT
#include "support/memory_peak.hpp"
#include <curlicue/header_list.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace curlicue;
using namespace curlicue::test;

namespace {

std::string all_of(const header_list& list) {
    std::string text;
    for (const auto field : list)
        text.append(field.name).append("=").append(field.value).append(";");
    return text;
}

TEST(AHeaderList, KeepsItsOrderAndSeveralOfAName) {
    header_list list{{"Accept", "a"}, {"X-One", "1"}};
    list.add("accept", "b");
    EXPECT_EQ(all_of(list), "Accept=a;X-One=1;accept=b;");
    EXPECT_EQ(list.size(), 3u);
    EXPECT_EQ(list.get("ACCEPT"), "a");
    EXPECT_EQ(list.all("aCCept"), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_TRUE(list.contains("x-one"));
    EXPECT_EQ(list.get("X-Two"), std::nullopt);
    EXPECT_TRUE(list.all("X-Two").empty());
}

TEST(AHeaderList, SetsTheOnlyOneOfAName) {
    header_list list{{"A", "1"}, {"B", "2"}, {"a", "3"}};
    list.set("A", "4");
    EXPECT_EQ(all_of(list), "A=4;B=2;");
    list.set("C", "5");
    EXPECT_EQ(all_of(list), "A=4;B=2;C=5;");
}

TEST(AHeaderList, ErasesAllOfAName) {
    header_list list{{"A", "1"}, {"B", "2"}, {"a", "3"}};
    EXPECT_EQ(list.erase("a"), 2u);
    EXPECT_EQ(list.erase("a"), 0u);
    EXPECT_EQ(all_of(list), "B=2;");
    list.erase("B");
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.begin(), list.end());
}

TEST(AHeaderList, MayBeGivenWhatIsItsOwn) {
    header_list list{{"A", std::string(100, 'x')}};
    for (int i = 0; i != 20; ++i)
        list.add("B", *list.get("A"));
    for (const auto value : list.all("B"))
        EXPECT_EQ(value, std::string(100, 'x'));
}

TEST(AHeaderList, IsAValue) {
    const header_list list{{"A", "1"}};
    header_list copy = list;
    EXPECT_EQ(copy, list);
    copy.set("A", "2");
    EXPECT_NE(copy, list);
    EXPECT_EQ(list, (header_list{{"a", "1"}}));
    EXPECT_EQ(list.get("A"), "1");
}

TEST(AHeaderList, DoesNotKeepWhatIsReplaced) {
    header_list list{{"A", "1"}, {"B", "kept"}};
    for (int i = 0; i != 1'000; ++i)
        list.set("A", std::string(10'000, 'x'));
    const memory_peak memory;
    const std::vector copies(100, list); // more than an allocator keeps for itself
    EXPECT_LT(memory.growth(), 100u << 20);
    EXPECT_EQ(list.get("B"), "kept");
    EXPECT_EQ(list.size(), 2u);
}

TEST(AHeaderList, RefusesNamesThatAreNoTokens) {
    header_list list{{"A", "1"}};
    for (const std::string name : {"", "A B", "A:", "A\r", "A\n", "\xC3\xA4", "A(", "A,", "\t"})
        EXPECT_THROW(list.add(name, "1"), std::invalid_argument) << name;
    EXPECT_THROW(list.set(std::string("A\0", 2), "1"), std::invalid_argument);
    EXPECT_EQ(all_of(list), "A=1;");
}

TEST(AHeaderList, RefusesControlCharactersInValuesAndTellsNone) {
    header_list list;
    for (const std::string& value :
         {std::string("secret\r\nX: 1"), std::string("secret\n"), std::string("secret\0", 7),
          std::string("secret\x7f"), std::string("secret\x01")}) {
        try {
            list.add("Authorization", value);
            ADD_FAILURE() << "taken";
        } catch (const std::invalid_argument& error) {
            EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
            EXPECT_NE(std::string(error.what()).find("Authorization"), std::string::npos);
        }
    }
    EXPECT_TRUE(list.empty());
    list.add("Tab", "a\tb").add("Empty", "").add("High", "\xC3\xA4");
    EXPECT_EQ(list.size(), 3u);
}

} // namespace
