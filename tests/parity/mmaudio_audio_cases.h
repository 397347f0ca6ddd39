#pragma once

#include <filesystem>

namespace qingyin::test::mmaudio {

// One function per kind of fixture: each registers a test per case of the file.
void register_flow(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_sampler(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_sequences(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_vae(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_bigvgan(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_mel_frontend(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_pipeline(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_flow_keys(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_vae_keys(const std::filesystem::path& folder, const std::filesystem::path& file);
void register_bigvgan_keys(const std::filesystem::path& folder, const std::filesystem::path& file);

}  // namespace qingyin::test::mmaudio
