// SPDX-License-Identifier: MIT
// What WRITEDATA, HEADERDATA and READDATA make of strings, streams and files: callables.
#include "easy_core.hpp"
#include "refusal.hpp"

#include <cstdio>
#include <cstring>
#include <istream>
#include <memory>
#include <ostream>

namespace curlicue {
namespace {

struct string_sink {
    std::string* target;
    std::size_t operator()(std::string_view data) const {
        target->append(data);
        return data.size();
    }
};

struct stream_sink {
    std::ostream* target;
    std::size_t operator()(std::string_view data) const {
        target->write(data.data(), static_cast<std::streamsize>(data.size()));
        return *target ? data.size() : CURL_WRITEFUNC_ERROR;
    }
};

struct file_sink {
    std::FILE* target;
    std::size_t operator()(std::string_view data) const {
        return std::fwrite(data.data(), 1, data.size(), target);
    }
};

/// The body and the headers come as spans and as views of characters.
template <class Sink> struct span_sink {
    Sink sink;
    std::size_t operator()(std::span<const char> data) const {
        return sink(std::string_view(data.data(), data.size()));
    }
};

constexpr std::ios::seekdir direction_of(int origin) noexcept {
    if (origin == SEEK_CUR)
        return std::ios::cur;
    return origin == SEEK_END ? std::ios::end : std::ios::beg;
}

struct stream_source {
    std::istream* source;
    std::size_t operator()(std::span<char> buffer) const {
        source->read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        return source->bad() ? CURL_READFUNC_ABORT : static_cast<std::size_t>(source->gcount());
    }
    int operator()(curl_off_t offset, int origin) const {
        source->clear();
        source->seekg(offset, direction_of(origin));
        return *source ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
    }
};

struct file_source {
    std::FILE* source;
    std::size_t operator()(std::span<char> buffer) const {
        const auto count = std::fread(buffer.data(), 1, buffer.size(), source);
        return std::ferror(source) != 0 ? CURL_READFUNC_ABORT : count;
    }
    int operator()(curl_off_t offset, int origin) const {
        return std::fseek(source, offset, origin) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
    }
};

struct text_source {
    std::string text;
    std::size_t offset = 0;
    std::size_t operator()(std::span<char> buffer) {
        const auto count = text.copy(buffer.data(), buffer.size(), offset);
        offset += count;
        return count;
    }
    int operator()(curl_off_t to, int origin) {
        if (origin != SEEK_SET || to < 0 || static_cast<std::size_t>(to) > text.size())
            return CURL_SEEKFUNC_CANTSEEK;
        offset = static_cast<std::size_t>(to);
        return CURL_SEEKFUNC_OK;
    }
};

template <class Sink> void install_sink(detail::easy_core& core, CURLoption option, Sink sink) {
    using namespace detail;
    if (option == CURLOPT_HEADERDATA)
        core.set_stream(option, as_callable<signature_of<CURLOPT_HEADERFUNCTION>>(sink));
    else
        core.set_stream(option,
                        as_callable<signature_of<CURLOPT_WRITEFUNCTION>>(span_sink<Sink>{sink}));
}

/// libcurl rewinds what it sends again: after a redirect, an authentication, a lost connection.
template <class Source> void install_source(detail::easy_core& core, Source source) {
    using namespace detail;
    const auto shared = std::make_shared<Source>(std::move(source));
    core.set_stream(CURLOPT_READDATA,
                    as_callable<signature_of<CURLOPT_READFUNCTION>>(
                        [shared](std::span<char> buffer) { return (*shared)(buffer); }));
    core.set_stream(CURLOPT_SEEKDATA,
                    as_callable<signature_of<CURLOPT_SEEKFUNCTION>>(
                        [shared](curl_off_t to, int origin) { return (*shared)(to, origin); }));
}

} // namespace

void easy::append_to(CURLoption option, std::string& target) {
    install_sink(idle("easy::setopt"), option, string_sink{&target});
}

void easy::append_to(CURLoption option, std::ostream& target) {
    install_sink(idle("easy::setopt"), option, stream_sink{&target});
}

void easy::read_from(std::istream& source) {
    install_source(idle("easy::setopt"), stream_source{&source});
}

void easy::read_from(std::string body) {
    install_source(idle("easy::setopt"), text_source{std::move(body)});
}

void easy::set(CURLoption option, std::FILE* file) {
    auto& core = idle("easy::setopt");
    const bool written = option == CURLOPT_WRITEDATA || option == CURLOPT_HEADERDATA;
    if (file == nullptr || !core.owned() || (!written && option != CURLOPT_READDATA))
        core.set(option, static_cast<void*>(file));
    else if (written)
        install_sink(core, option, file_sink{file});
    else
        install_source(core, file_source{file});
}

} // namespace curlicue
