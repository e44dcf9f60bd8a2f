// SPDX-License-Identifier: BSD-3-Clause
#include "order_log.hpp"

#include "order_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace order_simulation {

namespace {

/// Bytes of a file, with their owner.
struct file_text {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
};

[[noreturn]] void fail(const std::string& path, std::string_view what, int code) {
  throw order_log_error{fmt::format("{}: {}: {}", path, what, std::generic_category().message(code))};
}

struct descriptor {
  explicit descriptor(const std::string& path) : number{::open(path.c_str(), O_RDONLY | O_CLOEXEC)} {}
  ~descriptor() {
    if (number >= 0)
      ::close(number);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  const int number;
};

/// An open file that may be a log.
struct log_file {
  explicit log_file(const std::string& path) : file{path} {
    struct stat status {};
    if (file.number < 0)
      fail(path, "cannot be opened", errno);
    if (::fstat(file.number, &status) != 0)
      fail(path, "cannot be examined", errno);
    if (S_ISDIR(status.st_mode))
      throw order_log_error{path + ": is a directory, not an order log"};
    size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  }
  const descriptor file;
  std::size_t size = 0; ///< Bytes; 0 of a pipe.
};

/// Reads rather than maps: a mapped file that another process truncates kills the reader with SIGBUS.
file_text read_file(const std::string& path) {
  const log_file log{path};
  file_text text;
  std::size_t capacity = log.size + 1;
  text.bytes = std::make_unique_for_overwrite<char[]>(capacity);
  for (;;) {
    if (text.size == capacity) { // a pipe, or a file that grew
      auto larger = std::make_unique_for_overwrite<char[]>(capacity * 2 + 65536);
      std::memcpy(larger.get(), text.bytes.get(), text.size);
      text.bytes = std::move(larger);
      capacity = capacity * 2 + 65536;
    }
    const ssize_t got = ::read(log.file.number, text.bytes.get() + text.size, capacity - text.size);
    if (got == 0)
      return text;
    if (got > 0)
      text.size += static_cast<std::size_t>(got);
    else if (errno != EINTR)
      fail(path, "cannot be read", errno);
  }
}

/// Numbers distinct strings in the order of their first appearance. The views must outlive it.
class name_table {
public:
  explicit name_table(std::vector<std::string_view>& names) : names_{names} { ids_.reserve(1u << 15); }

  std::optional<std::uint32_t> find(std::string_view name) {
    if (!names_.empty() && names_[last_] == name)
      return last_;
    const auto found = ids_.find(name);
    if (found == ids_.end())
      return std::nullopt;
    return last_ = found->second;
  }

  std::uint32_t add(std::string_view name) {
    last_ = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name);
    ids_.emplace(name, last_);
    return last_;
  }

private:
  std::vector<std::string_view>& names_;
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::uint32_t last_ = 0; // rows of one invoice mostly follow each other
};

} // namespace

/// Builds an `order_log` from text that the log owns already.
class order_log::reader {
public:
  reader(order_log& log, const std::string& name, bad_rows policy)
      : log_{log}, name_{name}, policy_{policy}, codes_{log.stock_codes_}, invoices_{log.invoices_},
        countries_{log.countries_} {}

  void read(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf"))
      text.remove_prefix(3);
    if (text.empty())
      throw order_log_error{name_ + ": is empty, not an order log"};
    holds_nul_ = std::memchr(text.data(), 0, text.size()) != nullptr;
    log_.rows_.reserve(text.size() / 64);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r'))
        line.remove_suffix(1);
      if (++line_ > lines_max)
        throw order_log_error{fmt::format("{}: holds more than {} lines", name_, lines_max)};
      if (line_ == 1)
        check_header(line);
      else
        take_line(line);
    }
  }

private:
  void check_header(std::string_view line) const {
    if (line != header)
      throw order_log_error{fmt::format("{}:1: header is '{}', not '{}'", name_, shown(line), header)};
  }

  void take_line(std::string_view line) {
    try {
      take_row(line);
    } catch (const row_fault& fault) {
      std::string message = fmt::format("{}:{}: {}", name_, line_, fault.text);
      if (policy_ == bad_rows::fail)
        throw order_log_error{message};
      if (log_.skipped_rows_++ == 0)
        log_.first_skipped_ = std::move(message);
    }
  }

  /// Nothing of the row enters the log before all of it is known to be good.
  void take_row(std::string_view line) {
    if (line.empty())
      throw row_fault{"the line is empty"};
    const order_fields fields{line};
    if (holds_nul_)
      check_nul(fields);
    order_row row;
    row.date = parse_date(fields[order_field::invoice_date]);
    check_customer(fields[order_field::customer_id]);
    row.line = static_cast<std::uint32_t>(line_);
    row.quantity = parse_quantity(fields[order_field::quantity]);
    row.unit_price_milli = parse_price_milli(fields[order_field::unit_price]);
    const std::int64_t turnover = turnover_with(row, fields);
    const auto invoice = known_key(invoices_, order_field::invoice_no, fields);
    const auto code = known_key(codes_, order_field::stock_code, fields);
    if (!code && log_.stock_codes_.size() == stock_codes_max)
      fail_field(order_field::stock_code, fmt::format("is one more than {} different codes", stock_codes_max));
    const auto country = countries_.find(fields[order_field::country]);
    if (!country && log_.countries_.size() == countries_max)
      fail_field(order_field::country, fmt::format("is one more than {} different countries", countries_max));
    row.country = static_cast<std::uint16_t>(country ? *country : countries_.add(fields[order_field::country]));
    row.invoice = invoice ? *invoice : invoices_.add(fields[order_field::invoice_no]);
    row.stock_code = code ? *code : codes_.add(fields[order_field::stock_code]);
    turnover_ = turnover;
    log_.rows_.push_back(row);
  }

  static void check_nul(const order_fields& fields) {
    for (std::size_t i = 0; i < order_field_names.size(); ++i)
      if (fields[static_cast<order_field>(i)].find('\0') != std::string_view::npos)
        fail_field(static_cast<order_field>(i), "holds a NUL byte");
  }

  std::int64_t turnover_with(const order_row& row, const order_fields& fields) const {
    std::int64_t amount = 0;
    std::int64_t turnover = 0;
    if (__builtin_mul_overflow(row.unit_price_milli, row.quantity, &amount) ||
        __builtin_add_overflow(turnover_, amount > 0 ? -amount : amount, &turnover) ||
        turnover == std::numeric_limits<std::int64_t>::min())
      fail_value(order_field::unit_price, fields[order_field::unit_price], "makes the amounts of the log too large");
    return turnover;
  }

  /// The index of a key seen before; a new one is checked first.
  static std::optional<std::uint32_t> known_key(name_table& table, order_field which, const order_fields& fields) {
    const auto known = table.find(fields[which]);
    if (!known)
      check_key(which, fields[which]);
    return known;
  }

  order_log& log_;
  const std::string& name_;
  const bad_rows policy_;
  name_table codes_;
  name_table invoices_;
  name_table countries_;
  bool holds_nul_ = false;
  std::size_t line_ = 0;
  std::int64_t turnover_ = 0; // minus the sum of all absolute amounts: the negative range is the larger one
};

void order_log::require(const std::string& path) { (void)log_file{path}; }

order_log order_log::load(const std::string& path, bad_rows policy) {
  file_text text = read_file(path);
  order_log log;
  log.text_ = std::move(text.bytes);
  reader{log, path, policy}.read({log.text_.get(), text.size});
  return log;
}

order_log order_log::parse(std::string_view text, const std::string& name, bad_rows policy) {
  order_log log;
  log.text_ = std::make_unique_for_overwrite<char[]>(text.size() + 1);
  std::memcpy(log.text_.get(), text.data(), text.size());
  reader{log, name, policy}.read({log.text_.get(), text.size()});
  return log;
}

std::span<const order_row> leading_order(std::span<const order_row> rows) {
  std::size_t size = 0;
  while (size < rows.size() && rows[size].invoice == rows.front().invoice)
    ++size;
  return rows.first(size);
}

} // namespace order_simulation
