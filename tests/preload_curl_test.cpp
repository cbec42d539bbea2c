// SPDX-License-Identifier: MIT
// Debian's curl under samples/preload, beside the same command without it: how it ends, what it
// prints and what it writes must be the same.
#include "support/under_preload.hpp"

#include <ostream>

#include <gtest/gtest.h>

using namespace curlicue::test;

namespace {

struct command {
    const char* name;
    const char* script;

    friend std::ostream& operator<<(std::ostream& out, const command& one) {
        return out << one.script;
    }
};

class CurlUnderThePreload : public ::testing::TestWithParam<command> {};

TEST_P(CurlUnderThePreload, DoesWhatItDoesWithout) {
    const auto expected = run_without_preload(GetParam().script);
    const auto done = run_under_preload(GetParam().script);
    EXPECT_EQ(done.status, expected.status);
    EXPECT_EQ(done.out, expected.out);
    EXPECT_EQ(done.err, expected.err);
    EXPECT_EQ(done.files, expected.files);
    EXPECT_EQ(done.statuses, expected.statuses);
    EXPECT_NE(expected.statuses, "") << "no curl has run";
}

std::string name_of(const ::testing::TestParamInfo<command>& info) { return info.param.name; }

#define COMMANDS(group, ...)                                                                       \
    INSTANTIATE_TEST_SUITE_P(group, CurlUnderThePreload, ::testing::Values(__VA_ARGS__), &name_of)

COMMANDS(
    Http, //
    command{"Get", R"(curl "$HTTP/hello")"},
    command{"GetLarge", R"(curl "$HTTP/bytes/16777216" -o large)"},
    command{"GetNothing", R"(curl "$HTTP/bytes/0" -o nothing; ls)"},
    command{"Verbose", R"(curl -v "$HTTP/hello")"},
    command{"Traced", R"(curl --trace-ascii - "$HTTP/hello" | sed '/Info:/d')"},
    command{"Head", R"(curl -I "$HTTP/hello")"},
    command{"HeadersToo", R"(curl -i "$HTTP/bytes/1024" -o both)"},
    command{"HeadersToFile", R"(curl -D head "$HTTP/hello" -o body; cat head >&2)"},
    command{"Method", R"(curl -X OPTIONS "$ODD/echo")"},
    command{"MethodWithBody", R"(curl -X PATCH -d change "$ODD/echo")"},
    command{"Headers", R"(curl -H 'X-Test: 1' -H 'Accept:' -H 'X-Empty;' -A me "$ODD/echo")"},
    command{"Referer", R"(curl -e 'http://from.test/;auto' -L "$ODD/301")"},
    command{"Version10", R"(curl -0 -v "$HTTP/hello")"},
    command{"UnixSocket", R"(curl --unix-socket "$SOCKET" http://anything.test/hello)"},
    command{"NoUnixSocket", R"(curl --unix-socket nowhere http://anything.test/hello)"},
    command{"ConnectTo", R"(curl --connect-to "a.test:80:${HTTP#http://}" http://a.test/request)"},
    command{"Resolve",
            R"(curl --resolve "b.test:${HTTP##*:}:127.0.0.1" "http://b.test:${HTTP##*:}/request")"},
    command{
        "ResolveTriesTheNext",
        R"(curl --resolve "b.test:${HTTP##*:}:[::1],127.0.0.1" "http://b.test:${HTTP##*:}/request")"},
    command{"Interface", R"(curl --interface 127.0.0.1 "$HTTP/hello")"},
    command{"NoInterface", R"(curl --interface nosuch0 "$HTTP/hello")"},
    command{"Range", R"(curl -r 10-19 "$HTTP/bytes/1024" -o part)"},
    command{"RangeOfTheEnd", R"(curl -r -10 "$HTTP/bytes/1024" -o part)"},
    command{"Ranges", R"(curl -r 0-1,4-5 "$ODD/echo")"},
    command{"RangeBeyond", R"(curl -f -r 9999- "$HTTP/bytes/1024" -o part)"},
    command{"Resume", R"(head -c 100 ../body >part; curl -C - "$HTTP/bytes/1048576" -o part)"},
    command{"ResumeOfTheWhole",
            R"(curl "$HTTP/bytes/1024" -o part; curl -C - "$HTTP/bytes/1024" -o part)"},
    command{"ResumeRefused", R"(echo 12345 >part; curl -C - "$ODD/echo" -o part)"},
    command{"Compressed", R"(curl --compressed -D head "$HTTP/gzip/1048576" -o plain)"},
    command{"CompressedKept", R"(curl -H 'Accept-Encoding: gzip' "$HTTP/gzip/1024" | zcat)"},
    command{"CompressedBadly", R"(curl --compressed "$ODD/gzip/bad")"},
    command{"CompressedOddly", R"(curl --compressed "$ODD/encoding/unknown")"},
    command{"Globs", R"(curl "$HTTP/bytes/{0,1024}" -o 'got-#1'; curl "$ODD/echo/[1-3]")"},
    command{"BadGlob", R"(curl "$HTTP/bytes/{0,1024")"},
    command{"NoGlob", R"(curl -g "$ODD/echo/{a,b}")"},
    command{"OutputDirectory", R"(curl --create-dirs --output-dir a/b -O "$HTTP/bytes/1024")"},
    command{"NoOutputDirectory", R"(curl --output-dir a/b -O "$HTTP/bytes/1024")"},
    command{"RemoteName", R"(curl -OJ "$ODD/named"; curl -OJ "$ODD/named")"},
    command{"NoClobber", R"(echo mine >hello; curl --no-clobber -o hello "$HTTP/hello")"},
    command{
        "RemoteTime",
        R"(curl -R "$HTTP/bytes/1024" -o new; stat -c %Y new; touch -d @0 old; curl -R "$ODD/echo" -o old; echo $(($(stat -c %Y old) > 0)))"},
    command{
        "NewerThanTheDate",
        R"(curl -z 'Fri, 01 Jan 2038 00:00:00 GMT' -w '%{http_code} %{size_download}' "$HTTP/bytes/1024" -o part)"},
    command{
        "OlderThanTheDate",
        R"(curl -z '-Fri, 01 Jan 2038 00:00:00 GMT' -w '%{http_code}' "$HTTP/bytes/1024" -o part)"},
    command{
        "Etag",
        R"(curl --etag-save etag "$HTTP/bytes/1024" -o part; curl --etag-compare etag -w '%{http_code}' "$HTTP/bytes/1024" -o part)"},
    command{"Query", R"(curl -G -d a=b --data-urlencode 'c=d e' "$ODD/echo?x=y")"},
    command{"UrlQuery", R"(curl --url-query 'a=b c' "$ODD/echo")"},
    command{"PathAsIs", R"(curl --path-as-is "$ODD/echo/../echo/."; curl "$ODD/echo/../echo/.")"},
    command{"RequestTarget", R"(curl --request-target '/echo*' "$ODD/nothing")"},
    command{"MaxFilesize", R"(curl --max-filesize 100 "$HTTP/bytes/1024" -o part)"},
    command{"LimitRate", R"(curl --limit-rate 400k "$HTTP/bytes/1048576" -o slowly)"},
    command{"SlowServer", R"(curl "$HTTP/slow/1048576" -o slowly)"},
    command{"Config",
            R"(printf 'url = "%s/echo"\nheader = "X-Config: 1"\n' "$ODD" >config; curl -K config)"},
    command{"ConfigOfHome",
            R"(printf 'user-agent = "home"\n' >.curlrc; curl "$ODD/echo"; curl -q "$ODD/echo")"},
    command{"Chunked", R"(curl -v "$ODD/chunked")"},
    command{"ChunkedRaw", R"(curl --raw "$ODD/chunked")"},
    command{"EarlyHints", R"(curl -i "$ODD/hints")"},
    command{"FoldedHeader", R"(curl -i "$ODD/header/folded")"},
    command{"UntilTheEnd", R"(curl -v "$ODD/to/the/end")"},
    command{"Silent", R"(curl -s "http://$REFUSED")"},
    command{"ErrorsToFile", R"(curl --stderr errors "http://$REFUSED")"},
    command{"NoBuffer", R"(curl -N "$HTTP/bytes/1048576" | cksum)"},
    command{"ReaderGoes", R"(curl "$HTTP/bytes/16777216" | head -c 10 >begin)"},
    command{"FullDisk", R"(curl "$HTTP/bytes/1048576" -o /dev/full)"},
    command{"HttpOverHttps", R"(curl "http://${HTTPS#https://}/hello")"});

COMMANDS(
    Several, //
    command{"Reuse",
            R"(curl -w '%{num_connects}\n' "$HTTP/hello" "$HTTP/request" "$HTTP/bytes/0")"},
    command{"ReuseVerbosely", R"(curl -v "$HTTP/hello" "$HTTP/hello")"},
    command{
        "Next",
        R"(curl -w '%{num_connects}\n' -d a=b "$ODD/echo" --next -w '%{num_connects}\n' -I "$HTTP/hello" --next "$ODD/echo")"},
    command{"ClosedBetween",
            R"(curl -w '%{num_connects}\n' "$ODD/echo" "$ODD/to/the/end" "$ODD/echo")"},
    command{"NoKeepAlive",
            R"(curl -w '%{num_connects}\n' -H 'Connection: close' "$HTTP/hello" "$HTTP/hello")"},
    command{"OneFails",
            R"(curl -w '%{exitcode}\n' "$HTTP/hello" "http://$REFUSED" "$HTTP/request")"},
    command{"FailEarly", R"(curl --fail-early "$HTTP/hello" "http://$REFUSED" "$HTTP/request")"},
    command{"RemoteNames", R"(curl --remote-name-all "$HTTP/bytes/0" "$HTTP/bytes/1024")"},
    command{"Protocols", R"(curl "$HTTP/hello" "file://$PWD/../body" -o one -o two)"},
    command{
        "Parallel",
        R"(curl -Z --no-progress-meter "$HTTP/bytes/1024" "$HTTP/bytes/1048576" -o one -o two)"},
    command{"ManyToOneFile", R"(curl "$HTTP/hello" "$HTTP/hello" >>all)"});

COMMANDS(
    Written, //
    command{
        "Numbers",
        R"(curl -o body -w '%{http_code} %{http_version} %{num_connects} %{num_headers} %{num_redirects} %{size_download} %{size_header} %{size_request} %{size_upload} %{ssl_verify_result}\n' -d sent "$ODD/echo")"},
    command{
        "Words",
        R"(curl -o body -w '%{content_type} %{filename_effective} %{method} %{scheme} %{url} %{url_effective} %{urlnum} %{remote_ip} %{remote_port} %{local_ip} %{exitcode} %{errormsg}\n' "$HTTP/hello")"},
    command{"Headers",
            R"(curl -w '%{header_json}%header{content-length}' "$HTTP/bytes/1024" -o body)"},
    command{
        "Redirects",
        R"(curl -w '%{redirect_url} %{num_redirects} %{url_effective}\n' "$HTTP/redirect" --next -L -w '%{num_redirects} %{url_effective}\n' "$HTTP/redirect")"},
    command{
        "Errors",
        R"(curl -w '%{onerror}%{exitcode} %{errormsg} %{http_code} %{num_connects}\n' "http://$REFUSED")"},
    command{"ToStderr", R"(curl -w '%{stderr}%{http_code}%{stdout}%{method}' "$HTTP/hello")"},
    command{
        "OfProxy",
        R"(curl -w '%{http_connect} %{proxy_ssl_verify_result}\n' -k -px "$PROXY" "$HTTPS/hello")"});

COMMANDS(Redirects, //
         command{"Follow", R"(curl -L "$HTTP/redirect")"},
         command{"FollowVerbosely", R"(curl -v -L "$HTTP/redirect")"},
         command{"TooMany", R"(curl -L --max-redirs 3 "$HTTP/redirect/loop")"},
         command{"NoneAllowed", R"(curl -L --max-redirs 0 "$HTTP/redirect")"},
         command{"PostBecomesGet", R"(curl -L -d a=b "$ODD/301")"},
         command{"PostStays", R"(curl -L --post301 -d a=b "$ODD/301")"},
         command{"See", R"(curl -L -X PUT -d a=b "$ODD/303")"},
         command{"Again", R"(curl -L -d a=b "$ODD/307")"},
         command{"AgainForAFile", R"(curl -L -T ../body "$ODD/308" -o echo)"},
         command{"NotToFiles", R"(curl -L "$ODD/to/file")"},
         command{"NotToNonsense", R"(curl -L "$ODD/to/nonsense")"},
         command{"ProtocolRefused", R"(curl --proto-redir =https -L "$HTTP/redirect")"});

COMMANDS(
    Uploads, //
    command{"Data", R"(curl -d a=b -d c=d "$ODD/echo")"},
    command{"DataOfAFile", R"(curl --data-binary @../body "$ODD/echo" -o echo)"},
    command{"DataOfStdin", R"(echo stdin | curl -d @- "$ODD/echo")"},
    command{"Json", R"(curl --json '{"a": 1}' "$ODD/echo")"},
    command{
        "File",
        R"(curl -T ../body "$HTTP/upload/file"; curl "$HTTP/upload/file" -o back; curl -X DELETE "$HTTP/upload/file")"},
    command{"FileEchoed", R"(curl -T ../body "$ODD/echo/" -o echo)"},
    command{"Stdin", R"(curl -T - "$ODD/echo" <../body -o echo)"},
    command{"SlowStdin", R"((echo one; sleep 1; echo two) | curl -T - "$ODD/echo")"},
    command{"StdinThatDoesNotBlock",
            R"((echo one; sleep 1; echo two) | curl -T . "$ODD/echo" 2>/dev/null)"},
    command{"StdinChunked",
            R"(curl -H 'Transfer-Encoding: chunked' -d @../body "$ODD/echo" -o echo)"},
    command{"Nothing", R"(curl -T /dev/null "$ODD/echo")"},
    command{"MissingFile", R"(curl -T missing "$ODD/echo")"},
    command{"Form", R"(curl -F a=b -F 'file=@../body;type=text/plain' "$ODD/echo" -o echo)"},
    command{"FormOfStdin",
            R"(echo stdin | curl -F 'a=<-' -F 'b=@/dev/null;filename=c' "$ODD/echo")"},
    command{"FormOfForms", R"(curl -F '=(;type=multipart/mixed' -F x=y -F '=)' "$ODD/echo")"},
    command{"FormOfAMissingFile", R"(curl -F 'a=@missing' "$ODD/echo")"},
    command{"Expect", R"(curl -H 'Expect: 100-continue' -d @../body "$ODD/echo" -o echo)"},
    command{"ExpectRefused", R"(curl -i -H 'Expect: 100-continue' -d a=b "$ODD/417")"},
    command{"AnsweredEarly", R"(curl -d @../body "$ODD/early")"},
    command{"Resumed", R"(curl -C 299990 -T ../body "$ODD/echo" | tail -c 10 | cksum)"},
    command{
        "LimitRate",
        R"(curl --limit-rate 200k -T ../body "$HTTP/upload/slow"; curl -X DELETE "$HTTP/upload/slow")"},
    command{
        "Several",
        R"(curl -T '{../body,/etc/passwd}' "$HTTP/upload/"; curl -w '%{size_download}' "$HTTP/upload/body" -o back; curl -X DELETE "$HTTP/upload/body" "$HTTP/upload/passwd")"});

COMMANDS(Cookies, //
         command{"Sent", R"(curl -b 'a=1; b=2' "$ODD/echo")"},
         command{"Kept", R"(curl -c jar "$ODD/cookies"; curl -b jar "$ODD/echo")"},
         command{"KeptInOneRun", R"(curl -b none -c jar "$ODD/cookies" "$ODD/echo")"},
         command{"OfTheSession", R"(curl -c jar "$HTTP/cookie"; curl -j -b jar "$HTTP/request")"},
         command{"Redirected", R"(curl -b none -L "$ODD/cookies" "$ODD/301")"},
         command{"JarThatCannotBe", R"(curl -c /nowhere/jar "$HTTP/cookie")"});

COMMANDS(
    Authentication, //
    command{"Basic", R"(curl -u user:secret "$HTTP/auth")"},
    command{"BasicWrong", R"(curl -u user:wrong -w '%{http_code}' "$HTTP/auth")"},
    command{"BasicInUrl", R"(curl "http://user:secret@${HTTP#http://}/auth")"},
    command{"Digest", R"(curl --digest -u user:secret -w '%{num_connects}' "$ODD/digest")"},
    command{"DigestWrong", R"(curl --digest -u other:secret "$ODD/digest")"},
    command{"Any", R"(curl --anyauth -u user:secret "$ODD/digest" "$HTTP/auth")"},
    command{"AnyWithBody", R"(curl --anyauth -u user:secret -d a=b "$ODD/digest")"},
    command{"Bearer", R"(curl --oauth2-bearer token "$ODD/echo")"},
    command{
        "Netrc",
        R"(echo 'machine 127.0.0.1 login user password secret' >netrc; curl --netrc-file netrc "$HTTP/auth")"},
    command{
        "NetrcOfHome",
        R"(echo 'default login user password secret' >.netrc; curl -n "$HTTP/auth"; curl "$HTTP/auth")"},
    command{
        "NotToOthers",
        R"(curl -L -u user:secret --connect-to "::${ODD#http://}" http://a.test/301 http://b.test/echo)"});

COMMANDS(Failures, //
         command{"Status", R"(curl -f "$HTTP/status/404")"},
         command{"StatusWithBody", R"(curl --fail-with-body "$HTTP/status/500" "$HTTP/hello")"},
         command{"StatusThatIsNone", R"(curl -f "$HTTP/status/204")"},
         command{"Refused", R"(curl "http://$REFUSED")"},
         command{"RefusedVerbosely", R"(curl -v "http://$REFUSED")"},
         command{"RefusedOverIpv6", R"(curl "http://[::1]:${REFUSED##*:}/")"},
         command{"NoSuchHost", R"(curl http://nobody.invalid/)"},
         command{"NoSuchProtocol", R"(curl nonsense://there)"},
         command{"ProtocolNotAllowed", R"(curl --proto =https "$HTTP/hello")"},
         command{"BadUrl", R"(curl 'http://[::1/' 'http://a b/' 'http://:80' http://)"},
         command{"BadPort", R"(curl http://127.0.0.1:99999/)"}, command{"NoUrl", R"(curl)"},
         command{"BadOption", R"(curl --nonsense "$HTTP/hello")"},
         command{"Timeout", R"(curl --max-time 0.3 "$ODD/silence" )"},
         command{"TimeoutInTheBody", R"(curl --max-time 0.3 "$ODD/half" )"},
         command{"TooSlow", R"(curl -Y 100 -y 1 "$ODD/half")"},
         command{"Partial", R"(curl "$ODD/partial")"},
         command{"PartialToFile", R"(curl --remove-on-error "$ODD/partial" -o part)"},
         command{"Nothing", R"(curl "$ODD/nothing")"},
         command{"NothingVerbosely", R"(curl -v "$ODD/nothing")"},
         command{"ResetAfterAll", R"(curl "$ODD/whole/reset")"},
         command{"Garbage", R"(curl "$ODD/garbage")"},
         command{"GarbageAllowed", R"(curl --http0.9 "$ODD/garbage")"},
         command{"Version", R"(curl "$ODD/version")"},
         command{"HeaderCut", R"(curl -i "$ODD/header/cut")"},
         command{"HeaderWithNul", R"(curl -i "$ODD/header/nul")"},
         command{"LengthThatIsNone", R"(curl "$ODD/length/bad")"},
         command{"LengthBelowNothing", R"(curl "$ODD/length/negative")"},
         command{"LengthTwice", R"(curl "$ODD/length/twice")"},
         command{"IgnoredLength", R"(curl --ignore-content-length "$ODD/partial")"},
         command{"ChunkedBadly", R"(curl "$ODD/chunked/bad")"},
         command{"ChunkedCut", R"(curl "$ODD/chunked/cut")"},
         command{"Retry", R"(curl --retry 1 -w '%{http_code}\n' "$ODD/once/more")"},
         command{"RetryRefused",
                 R"(curl --retry 1 --retry-connrefused --retry-delay 1 "http://$REFUSED")"},
         command{"RetryAll",
                 R"(curl --retry 1 --retry-all-errors --retry-delay 1 "$ODD/partial" -o part)"});

COMMANDS(
    Tls, //
    command{"Trusted", R"(curl --cacert "$CA" "$HTTPS/hello")"},
    command{"TrustedVerbosely", R"(curl -v --http1.1 --cacert "$CA" "$HTTPS/hello")"},
    command{"TrustedByEnvironment", R"(CURL_CA_BUNDLE=$CA curl "$HTTPS/hello")"},
    command{"Untrusted", R"(curl "$HTTPS/hello")"},
    command{"UntrustedVerbosely", R"(curl -v "$HTTPS/hello")"},
    command{"Insecure", R"(curl -k -w '%{ssl_verify_result}' "$HTTPS/hello")"},
    command{"WrongName",
            R"(curl --cacert "$CA" --connect-to "::${HTTPS#https://}" https://other.test/hello)"},
    command{"NoCaFile", R"(curl --cacert missing "$HTTPS/hello")"},
    command{"NoTlsThere", R"(curl "https://${HTTP#http://}/hello")"},
    command{"NoCommonVersion", R"(curl --cacert "$CA" --tls-max 1.0 --tlsv1.0 "$HTTPS/hello")"},
    command{"Version12", R"(curl --cacert "$CA" --tls-max 1.2 "$HTTPS/bytes/1048576" -o body)"},
    command{"BadCipher", R"(curl --ciphers nonsense "$HTTPS/hello")"},
    command{
        "Pinned",
        R"(curl -k --pinnedpubkey 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' "$HTTPS/hello")"},
    command{
        "Http2",
        R"(curl --cacert "$CA" -w '%{http_version} %{num_connects}\n' "$HTTPS/request" "$HTTPS/hello")"},
    command{"Http2Verbosely", R"(curl -v --cacert "$CA" "$HTTPS/hello" "$HTTPS/hello")"},
    command{"Http2Large", R"(curl --cacert "$CA" "$HTTPS/bytes/16777216" -o large)"},
    command{"Http2LimitRate",
            R"(curl --limit-rate 400k --cacert "$CA" "$HTTPS/bytes/1048576" -o large)"},
    command{
        "Http2Upload",
        R"(curl --cacert "$CA" -T ../body "$HTTPS/upload/2"; curl --cacert "$CA" "$HTTPS/upload/2" -o back; curl --cacert "$CA" -X DELETE "$HTTPS/upload/2")"},
    command{"Http2Head", R"(curl -I --cacert "$CA" "$HTTPS/bytes/1024")"},
    command{"Http2Redirect",
            R"(curl -L --cacert "$CA" -w '%{num_redirects} %{num_connects}' "$HTTPS/redirect")"},
    command{"Http2Uncalled", R"(curl --http2-prior-knowledge "$HTTP/hello")"},
    command{"Http2Upgrade", R"(curl --http2 -w '%{http_version}' "$ODD/echo")"},
    command{"Hsts", R"(curl --hsts known "$HTTP/hello"; cat known)"});

COMMANDS(
    Proxies, //
    command{"Http", R"(curl -x "$PROXY" "$HTTP/request")"},
    command{"HttpVerbosely", R"(curl -v -x "$PROXY" "$HTTP/request")"},
    command{
        "OfEnvironment",
        R"(export http_proxy=$PROXY; curl "$HTTP/request"; curl --noproxy 127.0.0.1 "$HTTP/request")"},
    command{"Tunnel", R"(curl -p -x "$PROXY" -D head "$HTTP/request"; cat head >&2)"},
    command{
        "TunnelForTls",
        R"(curl -x "$PROXY" --cacert "$CA" -w '%{num_connects}' "$HTTPS/request" "$HTTPS/hello")"},
    command{"TunnelRefused", R"(curl -p -x "$PROXY" "http://$REFUSED/")"},
    command{"Refused", R"(curl -x "http://$REFUSED" "$HTTP/hello")"},
    command{"Odd", R"(curl -p -x "$ODD" "$HTTP/hello")"},
    command{"NoSuchHost", R"(curl -x nobody.invalid:80 "$HTTP/hello")"},
    command{"Socks4", R"(curl --socks4 "$SOCKS" "$HTTP/hello")"},
    command{"Socks5", R"(curl --socks5 "$SOCKS" "$HTTP/bytes/1048576" -o body)"},
    command{"Socks5ForNames",
            R"(curl --socks5-hostname "$SOCKS" "http://localhost:${HTTP##*:}/hello")"},
    command{"Socks5ForTls", R"(curl --socks5 "$SOCKS" --cacert "$CA" "$HTTPS/hello")"},
    command{"Socks5Refused", R"(curl --socks5 "$SOCKS" "http://$REFUSED/")"},
    command{"PreProxy", R"(curl --preproxy "socks5://$SOCKS" -x "$PROXY" "$HTTP/request")"});

COMMANDS(
    Ftp, //
    command{"Get", R"(curl "$FTP/1048576" -o file)"},
    command{
        "GetVerbosely",
        R"(curl -v "$FTP/1024" -o file 2>&1 | sed -E '/SECONDARY/d; s/(port |127.0.0.1:)[0-9]+/\1N/' >&2)"},
    command{"Several", R"(curl -w '%{num_connects}\n' "$FTP/1024" "$FTP/1048576" -o a -o b)"},
    command{"List", R"(curl -l "$FTP/" | grep '^1')"}, command{"Head", R"(curl -I "$FTP/1024")"},
    command{"Missing", R"(curl "$FTP/missing")"},
    command{"MissingDirectory", R"(curl "$FTP/no/such/")"},
    command{"WrongUser", R"(curl -u someone:wrong "$FTP/1024")"},
    command{"Range", R"(curl -r 10-19 "$FTP/1024" -o part)"},
    command{"Resume", R"(curl -r 0-9 "$FTP/1024" -o part; curl -C - "$FTP/1024" -o part)"},
    command{"Active", R"(curl -P - "$FTP/1024" -o file)"},
    command{"NoEpsv", R"(curl --disable-epsv "$FTP/1024" -o file)"},
    command{
        "Upload",
        R"(curl -T ../body "$FTP/up"; curl "$FTP/up" -o back; curl -Q '-DELE up' "$FTP/1024" -o last)"},
    command{
        "UploadOfStdin",
        R"(curl -T - "$FTP/in" <../body; curl "$FTP/in" -o back; curl -Q '-DELE in' "$FTP/1024" -o last)"},
    command{
        "Append",
        R"(echo a | curl -T - "$FTP/more"; echo b | curl -a -T - "$FTP/more"; curl "$FTP/more"; curl -Q '-DELE more' "$FTP/1024" -o last)"},
    command{
        "CreateDirectories",
        R"(curl --ftp-create-dirs -T ../body "$FTP/d/e/f"; curl "$FTP/d/e/f" -o back; curl -Q '-DELE d/e/f' -Q '-RMD d/e' -Q '-RMD d' "$FTP/" -o last)"},
    command{"CommandRefused", R"(curl -Q 'NONSENSE' "$FTP/1024")"},
    command{"ByProxy", R"(curl -x "$PROXY" "$FTP/1024")"},
    command{
        "Time",
        R"(curl -R "$FTP/1024" -o file; curl -z 'Fri, 01 Jan 2038 00:00:00 GMT' "$FTP/1024" -o other; ls)"},
    command{"NotThatServer", R"(curl "ftp://${ODD#http://}/x" --max-time 2)"});

COMMANDS(Files, //
         command{"Get", R"(curl "file://$PWD/../body" -o copy)"},
         command{"Range", R"(curl -r 10-19 "file://$PWD/../body" -o part)"},
         command{"Head", R"(touch -d @0 file; curl -I "file://$PWD/file")"},
         command{"Missing", R"(curl file:///no/such/file)"},
         command{"Upload", R"(curl -T ../body "file://$PWD/copy")"},
         command{"Directory", R"(curl file:///etc/)"});

} // namespace
