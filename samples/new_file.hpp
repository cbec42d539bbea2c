// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/url.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

/// An empty file that was not there before: named like the end of a URL's path, with a number
/// behind it where that name is taken. It goes again unless it is kept.
class new_file {
public:
    new_file(const std::filesystem::path& directory, const std::string& url) {
        std::filesystem::create_directories(directory);
        const auto wanted = directory / name_in(url);
        path_ = wanted;
        std::FILE* stream = nullptr;
        for (int number = 1; (stream = std::fopen(path_.c_str(), "wbx")) == nullptr; ++number) {
            if (errno != EEXIST)
                throw std::system_error(errno, std::generic_category(), path_);
            path_ = wanted.string() + '.' + std::to_string(number);
        }
        std::fclose(stream);
    }
    new_file(const new_file&) = delete;
    new_file& operator=(const new_file&) = delete;
    ~new_file() {
        if (!kept_)
            std::remove(path_.c_str());
    }

    const std::filesystem::path& path() const noexcept { return path_; }
    /// @returns its name
    std::string keep() {
        kept_ = true;
        return path_;
    }

private:
    // As it stands in the URL: what is encoded there, a slash say, stays so.
    static std::filesystem::path name_in(const std::string& url) {
        const auto path = curlicue::url(url, CURLU_GUESS_SCHEME).get(CURLUPART_PATH);
        const auto name = std::filesystem::path(path.value_or("")).filename();
        return name.empty() || name == "." || name == ".." ? "index.html" : name;
    }

    std::filesystem::path path_;
    bool kept_ = false;
};
