// SPDX-License-Identifier: MIT
#include "body_content.hpp"
#include "file_worker.hpp"
#include "pipe.hpp"
#include "urlencoded.hpp"
#include <curlicue/error.hpp>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace curlicue {
namespace detail {
namespace {

class text_content final : public body_content {
public:
    explicit text_content(std::string text, std::string type = {})
        : text_(std::move(text)), type_(std::move(type)) {}

    std::optional<std::uint64_t> size() const noexcept override { return text_.size(); }
    bool replayable() const noexcept override { return true; }
    std::string content_type() const override { return type_; }
    const std::string* text() const noexcept override { return &text_; }
    request_body::producer open(const intrusive_ptr<executor_link>&) override {
        return [text = text_]() mutable { return make_ready_future(std::exchange(text, {})); };
    }

private:
    const std::string text_, type_;
};

/// So much of a file is read at a time.
constexpr std::size_t piece_of_file = std::size_t{256} << 10;

using open_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

open_file opened(const std::filesystem::path& path) {
    open_file file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file)
        throw std::filesystem::filesystem_error("request_body::file", path,
                                                {errno, std::generic_category()});
    return file;
}

class file_content final : public body_content {
public:
    explicit file_content(std::filesystem::path path)
        : path_(std::move(path)), size_(std::filesystem::file_size(path_)) {
        opened(path_); // to tell at the call
    }

    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    bool replayable() const noexcept override { return true; }
    request_body::producer open(const intrusive_ptr<executor_link>& link) override {
        auto file = std::make_shared<open_file>(nullptr, &std::fclose);
        return [file, link, left = size_, path = path_]() mutable {
            const auto count =
                static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_of_file));
            left -= count;
            return with_files(link, [file, count, path] {
                if (!*file)
                    *file = opened(path);
                std::string piece(count, '\0');
                if (std::fread(piece.data(), 1, count, file->get()) != count)
                    throw std::filesystem::filesystem_error(
                        "request_body::file: it has become shorter", path,
                        std::make_error_code(std::errc::io_error));
                return piece;
            });
        };
    }

private:
    const std::filesystem::path path_;
    const std::uint64_t size_;
};

class mime_content final : public body_content {
public:
    explicit mime_content(mime parts) : parts_(std::move(parts)) {}
    bool replayable() const noexcept override { return true; }
    const mime* parts() const noexcept override { return &parts_; }
    request_body::producer open(const intrusive_ptr<executor_link>&) override {
        return nullptr; // libcurl reads it
    }

private:
    const mime parts_;
};

class produced_content final : public body_content {
public:
    produced_content(request_body::producer next, std::optional<std::uint64_t> size)
        : next_(std::move(next)), size_(size) {}

    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    request_body::producer open(const intrusive_ptr<executor_link>&) override {
        if (taken_.exchange(true))
            throw usage_error(errc::already_retrieved, "request_body::stream");
        return std::move(next_);
    }

private:
    request_body::producer next_;
    const std::optional<std::uint64_t> size_;
    std::atomic<bool> taken_{false};
};

/// Whose pieces are tasks, which run where the request does.
class task_content final : public body_content {
public:
    task_content(unique_function<task<std::string>()> next, std::optional<std::uint64_t> size)
        : next_(std::move(next)), size_(size) {}

    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    request_body::producer open(const intrusive_ptr<executor_link>& link) override {
        if (taken_.exchange(true))
            throw usage_error(errc::already_retrieved, "request_body::stream");
        return [next = std::move(next_), link]() mutable { return spawn_at(link, next()); };
    }

private:
    unique_function<task<std::string>()> next_;
    const std::optional<std::uint64_t> size_;
    std::atomic<bool> taken_{false};
};

} // namespace
} // namespace detail

request_body::request_body(std::shared_ptr<detail::body_content> content) noexcept
    : content_(std::move(content)) {}
request_body::request_body(std::string content)
    : content_(std::make_shared<detail::text_content>(std::move(content))) {}
request_body::request_body(std::string_view content) : request_body(std::string(content)) {}
request_body::request_body(const char* content) : request_body(std::string(content)) {}
request_body request_body::of(std::string content, std::string content_type) {
    return request_body(
        std::make_shared<detail::text_content>(std::move(content), std::move(content_type)));
}

namespace {
constexpr auto form_type = "application/x-www-form-urlencoded";
}

request_body
request_body::form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    return request_body(
        std::make_shared<detail::text_content>(detail::urlencoded(fields), form_type));
}

request_body request_body::form(const std::vector<std::pair<std::string, std::string>>& fields) {
    return request_body(
        std::make_shared<detail::text_content>(detail::urlencoded(fields), form_type));
}

request_body request_body::file(const std::filesystem::path& path) {
    return request_body(std::make_shared<detail::file_content>(path));
}

request_body request_body::multipart(mime parts) {
    return request_body(std::make_shared<detail::mime_content>(std::move(parts)));
}

request_body request_body::from_futures(producer next, std::optional<std::uint64_t> size) {
    return request_body(std::make_shared<detail::produced_content>(std::move(next), size));
}

request_body request_body::from_tasks(unique_function<task<std::string>()> next,
                                      std::optional<std::uint64_t> size) {
    return request_body(std::make_shared<detail::task_content>(std::move(next), size));
}

std::pair<request_body, body_writer> request_body::pipe(std::optional<std::uint64_t> size) {
    auto both = std::make_shared<detail::pipe>();
    return {request_body(std::make_shared<detail::piped_content>(both, size)), body_writer(both)};
}

bool request_body::replayable() const noexcept { return !content_ || content_->replayable(); }

std::optional<std::uint64_t> request_body::size() const noexcept {
    return content_ ? content_->size() : std::optional<std::uint64_t>(0);
}

} // namespace curlicue
