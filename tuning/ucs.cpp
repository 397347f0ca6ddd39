#include <algorithm>
#include <string_view>

#include "tuning/labels.h"

namespace qingyin::tuning {
namespace {

/// What ids of the Universal Category System (UCS 8, by Tim Nielsen, Justin Drury, Kai Paquin and
/// others; universalcategorysystem.com, public domain, ids to be used unaltered) mean to us.
struct CategoryRow {
  std::string_view ids;  // separated by blanks
  std::string_view sound_class, material = {};
};

constexpr CategoryRow kCategories[] = {
    {"WOODImpt", "impact", "wood"},
    {"METLImpt CHAINImpt TOONClang", "impact", "metal"},
    {"GLASImpt", "impact", "glass"},
    {"CERMImpt FOODTware", "impact", "ceramic"},
    {"PLASImpt RUBRImpt", "impact", "plastic"},
    {"ROCKImpt", "impact", "stone"},
    {"DIRTImpt SNOWImpt", "impact", "earth"},
    {"LETHRImpt", "impact", "cloth"},
    {"FGHTImpt TOONImpt BLLTImpt ICEImpt WEAPBlnt", "impact"},
    {"FEETMisc FEETAnml FEETCrea FEETHors FEETHmn FOLYFeet", "footstep"},
    {"WATRDrip", "drop"},
    {"WATRBubl LIQBubl", "bubbles"},
    {"RAIN RAINClth RAINConc RAINGlas RAINMetl RAINPlas RAINVege RAINWood RAINWatr", "rain"},
    {"WATRFlow WATRPour WATRFoun WATRDran WATRFall WATRTurb", "stream"},
    {"WIND WINDDsgn WINDGust WINDInt WINDTonl WINDVege", "wind"},
    {"FIREMisc FIREBurn FIRECrkl FIRETrch", "fire"},
    {"MOTRMisc MOTRAntq MOTRComb MOTRTurb TRNDiesl BOATMotr MACHInd", "engine"},
    {"WHSH SWSH TOONSwsh FIREWhsh", "whoosh"},
    {"EXPLMisc EXPLReal EXPLDsgn DSGNBoom", "explosion"},
    {"BELLMisc BELLAnml BELLDoor BELLGong BELLHand BELLLrg ALRMBell CLOCKChim MUSCChim", "bell"},
    {"WOODFric", "scrape", "wood"},
    {"METLFric", "scrape", "metal"},
    {"GLASFric", "scrape", "glass"},
    {"CERMFric", "scrape", "ceramic"},
    {"PLASFric RUBRFric", "scrape", "plastic"},
    {"ROCKFric", "scrape", "stone"},
    {"SNOWFric", "scrape", "earth"},
    {"ICEFric", "scrape"},
    {"OBJWhled MECHRolr SPRTSkate", "rolling"},
    {"DOORWood DRWRWood DOORCab WNDWWood", "door", "wood"},
    {"DOORMetl DOORPrisn DOORGate DRWRMetl WNDWMetl", "door", "metal"},
    {"DOORPlas DRWRPlas WNDWPlas", "door", "plastic"},
    {"DOORMisc DOORAntq DOORAppl DOORDungn DOORGlas DOORSwng VEHDoor DRWRMisc", "door"},
    {"FGHTBf DESTRClpse", "fall"},
    {"WATRSplsh WATRImpt LIQImpt", "splash"},
    {"GLASBrk GLASCrsh", "break", "glass"},
    {"WOODBrk WOODCrsh", "break", "wood"},
    {"CERMBrk CERMCrsh", "break", "ceramic"},
    {"PLASBrk PLASCrsh", "break", "plastic"},
    {"ROCKBrk ROCKCrsh", "break", "stone"},
    {"METLBrk METLCrsh ICEBrk ICECrsh", "break"},
    {"CLOTHMvmt CLOTHFlp CLOTHMisc FOLYClth FGHTClth LETHRMvmt", "rustle", "cloth"},
    {"PLASMvmt OBJPack OBJBag", "rustle", "plastic"},
    {"VEGELeaf VEGEGras", "rustle", "earth"},
    {"PAPRHndl PAPRFltr PAPRMisc", "rustle"},
    {"CMPTKey", "click", "plastic"},
    {"MECHClik MECHSwtch MECHRelay MECHLtch", "click", "metal"},
    {"UIClick CLOCKTick", "click"},
    {"VEHBy VEHCar VEHTruck VEHBus VEHMoto VEHRace VEHTire", "vehicle"},
    {"GUNMisc GUNAntq GUNAuto GUNCano GUNPis GUNRif GUNShotg GUNSupr", "gunshot"},
    {"ANMLMisc ANMLWild ANMLWcat ANMLFarm ANMLPrim CREABeast CREAMnstr", "animal"},
    {"ANMLDog", "bark"},
    {"BIRDMisc BIRDSong BIRDTrop BIRDSea BIRDWade AMBBird", "chirp"},
    {"CRWDWalla CRWDConv CRWDQuiet CRWDMisc CRWDLoop", "murmur"},
    {"UIMisc UIBeep UIAlert UIData BEEP BEEPAppl BEEPLofi BEEPMed BEEPTimer BEEPVeh", "blip"},
    {"DSGNRise", "riser"},
};

bool holds(std::string_view ids, std::string_view id) {
  for (std::size_t at = 0; (at = ids.find(id, at)) != ids.npos; at += id.size()) {
    const bool begins = at == 0 || ids[at - 1] == ' ';
    const bool ends = at + id.size() == ids.size() || ids[at + id.size()] == ' ';
    if (begins && ends) return true;
  }
  return false;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Two capitals or more, then letters: how every id of the list is built.
bool looks_like_id(std::string_view text) {
  const bool is_long = text.size() >= 3 && text.size() <= 12;
  return is_long && is_upper(text[0]) && is_upper(text[1]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); });
}

}  // namespace

std::optional<UcsName> parse_ucs_name(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  std::vector<std::string> parts(1);
  for (const char c : stem) {
    if (c == '_')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (parts.size() < 4 || parts[1].empty() || parts[2].empty() || parts[3].empty()) {
    return std::nullopt;
  }
  // The id may carry a category of the user's own: "DOORWood-INT".
  UcsName name{.cat_id = parts[0].substr(0, parts[0].find('-')),
               .fx_name = parts[1],
               .sound_class = {},
               .material = {}};
  if (!looks_like_id(name.cat_id)) return std::nullopt;
  for (const CategoryRow& row : kCategories) {
    if (!holds(row.ids, name.cat_id)) continue;
    name.sound_class = row.sound_class;
    name.material = row.material;
  }
  return name;
}

}  // namespace qingyin::tuning
