// SPDX-License-Identifier: MIT
#include "built_mime.hpp"
#include "easy_core.hpp"
#include "refusal.hpp"
#include <curlicue/mime.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace curlicue {
namespace {

std::string checked(std::string_view text) {
    detail::refuse_nul(text, "mimepart");
    return std::string(text);
}

} // namespace

mimepart& mimepart::name(std::string_view text) {
    name_ = checked(text);
    return *this;
}
mimepart& mimepart::filename(std::string_view text) {
    filename_ = checked(text);
    return *this;
}
mimepart& mimepart::type(std::string_view text) {
    type_ = checked(text);
    return *this;
}
mimepart& mimepart::encoder(std::string_view text) {
    encoder_ = checked(text);
    return *this;
}
mimepart& mimepart::headers(std::vector<std::string> lines) {
    for (const auto& line : lines)
        detail::refuse_nul(line, "mimepart");
    headers_ = std::move(lines);
    return *this;
}
mimepart& mimepart::file(std::string_view path) {
    content_ = file_path{checked(path)};
    return *this;
}
mimepart& mimepart::subparts(const mime& parts) {
    content_ = std::make_shared<const mime>(parts);
    return *this;
}
mimepart& mimepart::set_data(detail::bytes content) {
    content_ = std::make_shared<const std::string>(reinterpret_cast<const char*>(content.data()),
                                                   content.size());
    return *this;
}
mimepart& mimepart::set_callback(detail::intrusive_ptr<detail::ref_counted> read,
                                 detail::intrusive_ptr<detail::ref_counted> seek, curl_off_t size) {
    content_ = source{std::move(read), std::move(seek), size};
    return *this;
}

namespace detail {

struct mime_access {
    using source = mimepart::source;
    using file_path = mimepart::file_path;
    static const auto& parts(const mime& of) { return of.parts_; }
    static const auto& content(const mimepart& of) { return of.content_; }
    static const auto& name(const mimepart& of) { return of.name_; }
    static const auto& filename(const mimepart& of) { return of.filename_; }
    static const auto& type(const mimepart& of) { return of.type_; }
    static const auto& encoder(const mimepart& of) { return of.encoder_; }
    static const auto& headers(const mimepart& of) { return of.headers_; }
};

/// Memory that is shared and not copied again, or a user's callables.
struct built_mime::stream {
    easy_core* core;
    std::shared_ptr<const std::string> data;
    std::size_t offset = 0;
    mime_access::source source{};

    std::size_t read(std::span<char> buffer) {
        if (source.read)
            return static_cast<callable<mimepart::reader>&>(*source.read).call(core, buffer);
        const auto count = std::min(buffer.size(), data->size() - offset);
        std::memcpy(buffer.data(), data->data() + offset, count);
        offset += count;
        return count;
    }
    int seek(curl_off_t to, int origin) {
        if (source.seek)
            return static_cast<callable<mimepart::seeker>&>(*source.seek).call(core, to, origin);
        if (!data || origin != SEEK_SET || to < 0 || static_cast<std::size_t>(to) > data->size())
            return CURL_SEEKFUNC_CANTSEEK;
        offset = static_cast<std::size_t>(to);
        return CURL_SEEKFUNC_OK;
    }

    static std::size_t on_read(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
        auto& from = *static_cast<stream*>(self);
        return guarded(*from.core, std::size_t{CURL_READFUNC_ABORT}, [&] {
            return from.read({data, size * count});
        });
    }
    static int on_seek(void* self, curl_off_t to, int origin) noexcept {
        auto& from = *static_cast<stream*>(self);
        return guarded(*from.core, CURL_SEEKFUNC_FAIL, [&] { return from.seek(to, origin); });
    }
};

built_mime::built_mime(easy_core& core, mime description)
    : core_(core), description_(std::move(description)), handle_(build(description_).release()) {}

built_mime::~built_mime() { curl_mime_free(handle_); }

built_mime::owner built_mime::build(const mime& parts) {
    owner made(curl_mime_init(core_.handle()), &curl_mime_free);
    if (!made)
        throw std::bad_alloc();
    for (const auto& from : mime_access::parts(parts)) {
        auto* const part = curl_mime_addpart(made.get());
        if (part == nullptr)
            throw std::bad_alloc();
        fill(part, from);
    }
    return made;
}

void built_mime::fill(curl_mimepart* part, const mimepart& from) {
    const auto set = [&](auto call, const std::string& text) {
        if (!text.empty())
            require_ok(call(part, text.c_str()), CURLOPT_MIMEPOST);
    };
    set(&curl_mime_name, mime_access::name(from));
    fill_content(part, from);
    set(&curl_mime_filename, mime_access::filename(from)); // after the content: a file has its own
    set(&curl_mime_type, mime_access::type(from));
    set(&curl_mime_encoder, mime_access::encoder(from));
    slist headers;
    for (const auto& line : mime_access::headers(from))
        headers.append(line);
    if (headers.get() != nullptr) {
        require_ok(curl_mime_headers(part, headers.get(), 1), CURLOPT_MIMEPOST);
        headers.release();
    }
}

void built_mime::fill_content(curl_mimepart* part, const mimepart& from) {
    const auto& content = mime_access::content(from);
    if (const auto* const data = std::get_if<std::shared_ptr<const std::string>>(&content)) {
        read_from(part, std::make_unique<stream>(stream{&core_, *data}),
                  static_cast<curl_off_t>((*data)->size()));
    } else if (const auto* const source = std::get_if<mime_access::source>(&content)) {
        read_from(part, std::make_unique<stream>(stream{&core_, nullptr, 0, *source}),
                  source->size);
    } else if (const auto* const file = std::get_if<mime_access::file_path>(&content)) {
        require_ok(curl_mime_filedata(part, file->path.c_str()), CURLOPT_MIMEPOST);
    } else if (const auto* const parts = std::get_if<std::shared_ptr<const mime>>(&content)) {
        auto inner = build(**parts);
        require_ok(curl_mime_subparts(part, inner.get()), CURLOPT_MIMEPOST);
        static_cast<void>(inner.release()); // the part owns it now
    }
}

void built_mime::read_from(curl_mimepart* part, std::unique_ptr<stream> source, curl_off_t size) {
    require_ok(
        curl_mime_data_cb(part, size, &stream::on_read, &stream::on_seek, nullptr, source.get()),
        CURLOPT_MIMEPOST);
    streams_.push_back(std::move(source));
}

} // namespace detail
} // namespace curlicue
