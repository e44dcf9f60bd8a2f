// SPDX-License-Identifier: BSD-3-Clause
// Draws the figures of a run: one SVG per unit and kind, a bar per row and peer, on a logarithmic scale.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct bar {
  std::string row;
  std::string peer;
  double median;
  double min;
  double max;
};

struct chart {
  std::string_view file;
  std::string_view title;
  std::string_view unit;
};

constexpr std::array charts{
    chart{"throughput.svg", "Time per operation (ns, less is better)", "ns"},
    chart{"latency.svg", "Latency and lateness (us, less is better)", "us"},
    chart{"memory.svg", "Memory per idle actor (bytes, less is better)", "bytes"},
    chart{"idle.svg", "CPU seconds in 10 s with 10,000 idle actors (less is better)", "cpu-s"},
    chart{"scaling.svg", "Speed-up of 50 pairs with all workers (more is better)", "speed-up"},
};

const std::map<std::string, std::string_view> colours{
    {"troupe", "#1b6ca8"}, {"caf", "#c0504d"},  {"go", "#4bacc6"},   {"erlang", "#8064a2"},
    {"tokio", "#e08e0b"},  {"bare", "#999999"}, {"caf1", "#d99694"}, {"sobjectizer", "#77933c"}};

constexpr double left = 190;
constexpr double width = 620;
constexpr double thickness = 11;
constexpr double smallest = 1e-4; // a zero has no place on a logarithmic scale

double log_of(double value) { return std::log10(std::max(value, smallest)); }

std::string text(double x, double y, std::string_view anchor, std::string_view what, int size = 11) {
  char line[256];
  std::snprintf(line, sizeof line, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%.*s\" font-size=\"%d\">%.*s</text>\n", x,
                y, static_cast<int>(anchor.size()), anchor.data(), size, static_cast<int>(what.size()), what.data());
  return line;
}

std::string drawing(const chart& c, const std::vector<bar>& bars) {
  double low = 1e300;
  double high = -1e300;
  for (const auto& b : bars) {
    low = std::min(low, std::floor(log_of(b.min)));
    high = std::max(high, std::ceil(log_of(b.max)));
  }
  high = std::max(high, low + 1);
  const auto x = [&](double value) { return left + (log_of(value) - low) / (high - low) * width; };

  std::string body;
  char line[512];
  double y = 44;
  std::string last;
  for (const auto& b : bars) {
    if (b.row != last) {
      y += 8;
      body += text(left - 8, y + thickness - 2, "end", b.row);
      last = b.row;
    }
    const auto found = colours.find(b.peer);
    const auto colour = found != colours.end() ? found->second : std::string_view{"#555555"};
    std::snprintf(line, sizeof line,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%.*s\"/>\n"
                  "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#222\"/>\n",
                  left, y, std::max(1.0, x(b.median) - left), thickness - 2, static_cast<int>(colour.size()),
                  colour.data(), x(b.min), x(b.max), y + thickness / 2 - 1, y + thickness / 2 - 1);
    body += line;
    std::snprintf(line, sizeof line, b.median < 1000 ? "%s %.3g" : "%s %.0f", b.peer.c_str(), b.median);
    body += text(x(b.max) + 5, y + thickness - 2, "start", line, 9);
    y += thickness;
  }

  std::string grid;
  for (int decade = static_cast<int>(low); decade <= static_cast<int>(high); ++decade) {
    const auto at = x(std::pow(10, decade));
    std::snprintf(line, sizeof line, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"40\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", at, at,
                  y);
    grid += line;
    std::snprintf(line, sizeof line, "%g", std::pow(10, decade));
    grid += text(at, y + 14, "middle", line);
  }
  std::snprintf(
      line, sizeof line,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\">\n"
      "<!-- SPDX-License-Identifier: BSD-3-Clause -->\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      left + width + 130, y + 28);
  return line + text(left, 24, "start", c.title, 15) + grid + body + "</svg>\n";
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s FIGURES.json DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::string directory = argv[2];
  try {
    std::ifstream in{argv[1]};
    const auto figures = nlohmann::json::parse(in);
    for (const auto& c : charts) {
      std::vector<bar> bars;
      for (const auto& f : figures)
        if (f.at("unit") == c.unit)
          bars.push_back({f.at("row"), f.at("peer"), f.at("median"), f.at("min"), f.at("max")});
      if (bars.empty())
        continue;
      std::ofstream out{directory + "/" + std::string{c.file}};
      out << drawing(c, bars);
      if (!out.flush())
        throw std::runtime_error{"cannot write " + std::string{c.file}};
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
