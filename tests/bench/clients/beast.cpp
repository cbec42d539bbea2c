// SPDX-License-Identifier: MIT
// beast: Boost.Beast, on an io_context of one thread.
#include "client.hpp"
#include "target.hpp"

#include <deque>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace curlicue::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// One request after another, over one connection or over one each.
class connection {
public:
    connection(asio::io_context& context, const job& what, const target& where, meter& measured)
        : stream_(context), what_(what), server_(asio::ip::make_address(where.address), where.port),
          request_(http::verb::get, where.path, 11), measured_(measured) {
        request_.set(http::field::host, where.host);
        request_.set(http::field::accept, "*/*");
    }

    void start() {
        if (!measured_.start_another())
            return;
        if (stream_.socket().is_open())
            return write();
        stream_.async_connect(server_, [this](error_code error) {
            if (well(error)) {
                stream_.socket().set_option(asio::ip::tcp::no_delay(true));
                write();
            }
        });
    }

private:
    void write() {
        http::async_write(stream_, request_, [this](error_code error, std::size_t) {
            if (well(error))
                read();
        });
    }

    void read() {
        response_.emplace();
        http::async_read(stream_, buffer_, *response_, [this](error_code error, std::size_t) {
            if (!well(error))
                return;
            if (response_->result() != http::status::ok)
                return measured_.failed("the server does not answer 200");
            if (what_.fresh)
                stream_.close();
            measured_.finished();
            start();
        });
    }

    bool well(error_code error) {
        if (error)
            measured_.failed(error.message());
        return !error;
    }

    beast::tcp_stream stream_;
    const job& what_;
    const asio::ip::tcp::endpoint server_;
    http::request<http::empty_body> request_;
    std::optional<http::response<http::string_body>> response_;
    beast::flat_buffer buffer_;
    meter& measured_;
};

} // namespace

void run(const job& what, meter& measured) {
    asio::io_context context(1);
    const target where(what.url());
    std::deque<connection> connections;
    for (int i = 0; i != what.concurrency; ++i)
        connections.emplace_back(context, what, where, measured).start();
    context.run();
}

} // namespace curlicue::bench
