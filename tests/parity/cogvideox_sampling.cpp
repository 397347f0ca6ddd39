// The schedulers of CogVideoX.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/sampler.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// "dpm.s3.n50": kind, shift of the signal-to-noise ratio, steps.
struct SamplerCase {
  SamplerKind kind = SamplerKind::kDdim;
  double shift = 1;
  std::int64_t steps = 0;

  explicit SamplerCase(const std::string& name) {
    const std::regex form(R"((ddim|dpm)\.s([0-9.]+)\.n([0-9]+))");
    std::smatch m;
    if (!std::regex_match(name, m, form)) throw std::runtime_error(name + " is no scheduler case");
    kind = m[1] == "dpm" ? SamplerKind::kDpm : SamplerKind::kDdim;
    shift = std::stod(m[2]);
    steps = std::stoll(m[3]);
  }
};

NoiseSchedule schedule_of(const Fixture& fixture, const fs::path& file, double shift) {
  Json config = fixture.config();
  config["snr_shift_scale"] = shift;
  return NoiseSchedule(read_noise_schedule_config(ConfigFile::parse(config.dump(), file)));
}

/// What the fixtures' notes give as the model's answer.
at::Tensor answer(std::int64_t i, const at::Tensor& x, const at::Tensor& pattern) {
  return 0.6 * x + static_cast<double>((7 * i) % 11 - 5) / 5 * pattern;
}

void check_run(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  const SamplerCase c(name);
  const NoiseSchedule schedule = schedule_of(fixture, file, c.shift);
  const Sampler sampler(schedule, plan_steps(schedule, c.kind, c.steps));
  const auto& times = sampler.steps().timesteps;
  EXPECT_TRUE(near(at::tensor(times, at::kLong), fixture.out(name + ".timesteps"), kExact));
  const auto draws = fixture.metadata("cases").at(name).at("draws_per_step");
  const TensorMap inputs = fixture.group("in." + name);
  const at::Tensor samples = fixture.out(name + ".samples"), clean = fixture.out(name + ".x0");
  at::Tensor x = fixture.in("sample"), before;
  std::int64_t drawn = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    ASSERT_EQ(sampler.draws(i), draws.at(i).get<std::int64_t>()) << "step " << i;
    drawn += sampler.draws(i);
    const at::Tensor noise = sampler.draws(i) > 0 ? inputs.at("noise")[drawn - 1] : at::Tensor();
    const SamplerResult r =
        sampler.step(i, answer(row, x, fixture.in("pattern")), x, before, noise);
    ASSERT_TRUE(near(r.clean, clean[row], kCogvideoxSamplerFloat32Cpu)) << "step " << i;
    ASSERT_TRUE(near(r.sample, samples[row], kCogvideoxSamplerFloat32Cpu)) << "step " << i;
    x = r.sample;
    before = r.clean;
  }
}

/// Tables, and noise added at the times that the notes give. Name: "s3".
void check_table(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  const NoiseSchedule schedule = schedule_of(fixture, file, std::stod(name.substr(1)));
  EXPECT_TRUE(near(at::tensor(schedule.alphas(), at::kDouble),
                   fixture.out(name + ".alphas_cumprod"), {.absolute = 1e-12}));
  for (const auto& [key, expected] : fixture.group("out." + name)) {
    if (!key.ends_with("add_noise")) continue;
    const std::vector<std::int64_t> times{999, 899, 519, 19, 0};  // the notes of the fixture
    ASSERT_EQ(expected.size(0), static_cast<std::int64_t>(times.size()));
    const at::Tensor noise = fixture.in(name + "." + key + ".noise");
    for (std::size_t i = 0; i < times.size(); ++i)
      EXPECT_TRUE(near(schedule.add_noise(fixture.in("sample"), noise, times[i]),
                       expected[static_cast<std::int64_t>(i)], kCogvideoxSamplerFloat32Cpu))
          << key << " at " << times[i];
  }
}

bool claims(const fs::path& relative) {
  const std::string name = relative.filename().string(), folder = relative.parent_path().string();
  return (folder == "configs" && name.starts_with("scheduler_")) ||
         (folder.empty() && name.starts_with("schedulers"));
}

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    const std::string stem = file.stem().string();
    const fs::path path = folder / file;
    if (file.parent_path() == "configs") {
      register_case("cogvideox", "configs_" + stem, [path] {
        EXPECT_TRUE(problems(read_noise_schedule_config(ConfigFile::read(path))).empty());
      });
      continue;
    }
    const Fixture fixture(path);
    const Json cases = fixture.metadata("cases");
    for (const auto& [name, unused] : cases.items())
      register_case("cogvideox", stem + "_" + name, [path, name = name] { check_run(path, name); });
    for (const auto& [key, unused] : fixture.group("out"))
      if (key.ends_with(".alphas_cumprod"))
        register_case("cogvideox", stem + "_table_" + key.substr(0, key.find('.')),
                      [path, name = key.substr(0, key.find('.'))] { check_table(path, name); });
  }
}

}  // namespace

FamilyPart cogvideox_sampling() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
