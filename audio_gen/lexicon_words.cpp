#include <array>

#include "audio_gen/lexicon.h"

namespace qingyin {
namespace {

constexpr std::array kEntries{
    // Impact
    LexiconEntry{
        .words =
            "impact, hit, knock, strike, bang, thud, thump, bump, blow, collision, collide, crash, "
            "clang, clank, clink, clunk, bonk, tap, 撞击, 碰撞, 敲击, 敲打, 敲, 撞, 砸, 碰, "
            "击打, 打击",
        .sound = "impact",
        .score = 1.0},
    LexiconEntry{.words = "land, bounce, drop object, hammer, pound, struck, 落地, 掉落, "
                          "弹跳",
                 .sound = "impact",
                 .score = 0.85},
    LexiconEntry{.words = "knock door, door knock, knock on the door, 敲门声, 敲门",
                 .sound = "impact",
                 .score = 1.0,
                 .material = "wood"},
    LexiconEntry{
        .words = "punch, slap, kick, clap, hand clap, 拳击, 打拳, 耳光, 拍手, 鼓掌, 踢, 拍打",
        .sound = "impact",
        .score = 0.6,
        .material = "cloth"},
    LexiconEntry{.words = "tick, clock tick, clock, 滴答, 嘀嗒, 钟表",
                 .sound = "impact",
                 .score = 0.6,
                 .material = "metal",
                 .size = 0.05,
                 .intensity = 0.25},
    LexiconEntry{.words = "drum, drumbeat, drumming, 鼓声, 打鼓, 鼓",
                 .sound = "impact",
                 .score = 0.5,
                 .material = "plastic",
                 .size = 0.9},
    LexiconEntry{
        .words = "chop, axe, 砍, 劈, 切菜", .sound = "impact", .score = 0.7, .material = "wood"},
    LexiconEntry{.words = "table, desk, box, floor, 桌子, 桌, 箱子, 地板",
                 .sound = "impact",
                 .score = 0.4,
                 .is_object = true,
                 .material = "wood"},
    LexiconEntry{.words = "sword, knife, pan, pot, can, coin, key, spoon, pipe, hammer blow, 剑, "
                          "刀, 锅, 硬币, 钥匙, 勺子, 管子",
                 .sound = "impact",
                 .score = 0.4,
                 .is_object = true,
                 .material = "metal"},
    LexiconEntry{.words = "window, bottle, 窗户, 窗, 瓶子, 玻璃杯",
                 .sound = "impact",
                 .score = 0.4,
                 .is_object = true,
                 .material = "glass"},
    LexiconEntry{.words = "cup, mug, plate, bowl, dish, tile, vase, 杯子, 杯, 盘子, 碗, 花瓶, 瓷砖",
                 .sound = "impact",
                 .score = 0.4,
                 .is_object = true,
                 .material = "ceramic"},
    LexiconEntry{.words = "ball, toy, bucket, 球, 玩具, 桶",
                 .sound = "impact",
                 .score = 0.4,
                 .is_object = true,
                 .material = "plastic"},
    // Footstep
    LexiconEntry{.words = "footstep, step, walk, foot, feet, footfall, tread, stomp, 脚步声, 脚步, "
                          "走路, 行走, 步行, 踏步, 走",
                 .sound = "footstep",
                 .score = 1.0},
    LexiconEntry{.words = "run, jog, march, sprint, 跑步, 奔跑, 跑, 行军",
                 .sound = "footstep",
                 .score = 0.9,
                 .intensity = 0.7},
    LexiconEntry{.words = "high heel, heel, 高跟鞋",
                 .sound = "footstep",
                 .score = 0.9,
                 .material = "stone",
                 .size = 0.2},
    LexiconEntry{
        .words = "shoe, boot, 鞋, 靴子", .sound = "footstep", .score = 0.6, .is_object = true},
    LexiconEntry{.words = "hoof, hooves, horse, gallop, trot, 马蹄, 马蹄声, 马",
                 .sound = "footstep",
                 .score = 0.5,
                 .material = "stone"},
    // Drop, bubbles, rain, stream
    LexiconEntry{.words = "drop, water drop, drip, droplet, 水滴, 滴水, 滴落, 滴, 水珠",
                 .sound = "drop",
                 .score = 1.0},
    LexiconEntry{.words = "bubble, bubbling, boil, gurgle, simmer, fizz, underwater, 气泡, 冒泡, "
                          "泡泡, 沸腾, 咕嘟, 烧水, 水下",
                 .sound = "bubbles",
                 .score = 1.0},
    LexiconEntry{.words = "rain, rainfall, drizzle, downpour, shower, 雨声, 雨, 下雨, 淋浴",
                 .sound = "rain",
                 .score = 1.0},
    LexiconEntry{.words = "heavy rain, rainstorm, storm, 大雨, 暴雨, 暴风雨",
                 .sound = "rain",
                 .score = 1.0,
                 .size = 0.7,
                 .intensity = 0.85},
    LexiconEntry{.words = "light rain, 小雨, 毛毛雨, 细雨",
                 .sound = "rain",
                 .score = 1.0,
                 .size = 0.3,
                 .intensity = 0.2},
    LexiconEntry{.words = "fry, sizzle, frying pan, 煎, 炒菜, 油炸", .sound = "rain", .score = 0.4},
    LexiconEntry{.words = "stream, river, brook, creek, run water, flow water, water flow, tap "
                          "water, faucet, fountain, "
                          "流水, 溪流, 小溪, 河流, 河, 水流, 喷泉, 水龙头, 溪水",
                 .sound = "stream",
                 .score = 1.0},
    LexiconEntry{
        .words = "pour, pour water, 倒水, 倒茶, 斟", .sound = "stream", .score = 0.8, .size = 0.3},
    LexiconEntry{.words = "waterfall, rapid, 瀑布, 激流",
                 .sound = "stream",
                 .score = 0.8,
                 .size = 0.9,
                 .intensity = 0.85},
    LexiconEntry{.words = "ocean, sea, wave, wave crash, surf, 海浪, 海洋, 大海, 波浪, 海",
                 .sound = "stream",
                 .score = 0.5,
                 .size = 1.0},
    LexiconEntry{.words = "water, 水", .sound = "stream", .score = 0.4, .is_object = true},
    // Wind, fire
    LexiconEntry{.words = "wind, breeze, gust, gale, howl wind, 风声, 风, 微风, 刮风, 狂风",
                 .sound = "wind",
                 .score = 1.0},
    LexiconEntry{.words = "air, air condition, ventilation, 空调, 通风",
                 .sound = "wind",
                 .score = 0.5,
                 .size = 0.7},
    LexiconEntry{.words = "fire, flame, burn, campfire, crackle, fireplace, bonfire, 火, 火焰, "
                          "火堆, 燃烧, 篝火, 壁炉, 着火",
                 .sound = "fire",
                 .score = 1.0},
    // Engine
    LexiconEntry{.words = "engine, motor, idle engine, machine, machinery, generator, 引擎, "
                          "发动机, 马达, 机器, 电机",
                 .sound = "engine",
                 .score = 1.0},
    LexiconEntry{.words = "car, truck, bus, tractor, drive, 汽车, 车, 卡车, "
                          "公交, 拖拉机, 驾驶",
                 .sound = "engine",
                 .score = 0.8,
                 .is_object = true,
                 .size = 0.7},
    LexiconEntry{.words = "motorcycle, motorbike, scooter, chainsaw, lawnmower, moped, 摩托车, "
                          "摩托, 电锯, 割草机",
                 .sound = "engine",
                 .score = 0.8,
                 .size = 0.25,
                 .intensity = 0.7},
    LexiconEntry{.words = "airplane, plane, aircraft, jet, helicopter, drone, train, boat, ship, "
                          "fan, 飞机, 直升机, 无人机, 火车, "
                          "地铁, 船, 轮船, 风扇",
                 .sound = "engine",
                 .score = 0.5},
    // Whoosh, explosion, bell
    LexiconEntry{.words = "whoosh, swoosh, swish, swing, whip, fly by, flyby, ui whoosh, throw, "
                          "呼啸, 嗖, 挥动, 挥舞, 掠过, 飞过, 挥",
                 .sound = "whoosh",
                 .score = 1.0},
    LexiconEntry{.words = "fly, wing, flap, transition, jump, spin, 飞, 翅膀, 转场, 跳, 旋转",
                 .sound = "whoosh",
                 .score = 0.5},
    LexiconEntry{
        .words =
            "explosion, explode, blast, boom, burst, detonation, bomb, 爆炸, 爆破, 炸弹, 轰鸣, 爆",
        .sound = "explosion",
        .score = 1.0},
    LexiconEntry{.words = "thunder, lightning, thunderclap, firework, cannon, 打雷, 雷声, 雷, "
                          "烟花, 烟火, 大炮, 鞭炮",
                 .sound = "explosion",
                 .score = 0.7},
    LexiconEntry{.words = "bell, chime, ring, gong, church bell, toll, rang, 铃, 铃声, 钟声, 钟, "
                          "敲钟, 风铃, 铃铛, 锣",
                 .sound = "bell",
                 .score = 1.0},
    LexiconEntry{
        .words = "doorbell, bicycle bell, 门铃", .sound = "bell", .score = 0.9, .size = 0.1},
    LexiconEntry{.words = "phone, telephone, alarm, ding, 电话, 闹钟, 警报, 叮",
                 .sound = "bell",
                 .score = 0.5,
                 .size = 0.1},
    // Scrape, rolling
    LexiconEntry{.words = "scrape, scratch, drag, slide, rub, friction, grind, grate, 刮擦, 刮, "
                          "摩擦, 拖动, 拖拽, 滑动, 划, 拖, 擦",
                 .sound = "scrape",
                 .score = 1.0},
    LexiconEntry{.words = "saw, sand, file down, brush, sweep, write, draw, pencil, 锯, 打磨, 刷, "
                          "扫地, 写字, 书写, 画",
                 .sound = "scrape",
                 .score = 0.7,
                 .material = "wood"},
    LexiconEntry{.words = "zip, zipper, unzip, 拉链",
                 .sound = "scrape",
                 .score = 0.6,
                 .material = "metal",
                 .size = 0.1},
    LexiconEntry{.words = "squeak, screech, skid, brake, 吱吱, 刹车",
                 .sound = "scrape",
                 .score = 0.5,
                 .size = 0.3},
    LexiconEntry{.words = "roll, tumble, 滚动, 滚落, 滚, 翻滚", .sound = "rolling", .score = 1.0},
    LexiconEntry{.words = "wheel, skateboard, skate, cart, marble, trolley, suitcase, bowl ball, "
                          "轮子, 车轮, 滑板, 溜冰, 推车, 弹珠, 行李箱",
                 .sound = "rolling",
                 .score = 0.7,
                 .is_object = true},
    // Doors, falls, splashes, breakage
    LexiconEntry{.words = "slam, door slam, slam door, slam the door, 摔门, 摔门声, 砰的关门",
                 .sound = "door",
                 .score = 1.0,
                 .material = "wood",
                 .intensity = 0.85},
    LexiconEntry{.words =
                     "close door, door close, close the door, shut door, door shut, open door, "
                     "door open, open the door, latch, 关门, 关门声, 开门, 开门声, 门声, 门锁",
                 .sound = "door",
                 .score = 1.0,
                 .material = "wood"},
    LexiconEntry{.words = "creak, door creak, creak door, hinge, 吱呀, 嘎吱",
                 .sound = "door",
                 .score = 0.8,
                 .intensity = 0.15},
    LexiconEntry{.words = "car door, fridge, locker, 车门, 冰箱门",
                 .sound = "door",
                 .score = 0.9,
                 .material = "metal"},
    LexiconEntry{.words = "door, gate, drawer, cupboard, 门, 大门, 抽屉, 柜门",
                 .sound = "door",
                 .score = 1.0,
                 .is_object = true,
                 .material = "wood"},
    LexiconEntry{.words = "fall, fell, body fall, fall body, body drop, collapse, fall down, "
                          "摔倒, 跌倒, 倒地, 摔, 跌落, 倒下",
                 .sound = "fall",
                 .score = 1.0},
    LexiconEntry{.words = "cloth fall, clothes drop, backpack, 衣服落地, 背包",
                 .sound = "fall",
                 .score = 0.9,
                 .size = 0.15},
    LexiconEntry{.words = "splash, plop, plunge, dive, water splash, 溅水, 水花, 入水, 跳水, "
                          "落水, 溅起",
                 .sound = "splash",
                 .score = 1.0},
    LexiconEntry{.words = "break, breakage, glass break, glass shatter, shatter, smash, broken "
                          "glass, broken, break glass, "
                          "玻璃破碎, 玻璃碎, 打碎, 破碎, 碎裂, 碎",
                 .sound = "break",
                 .score = 1.0,
                 .material = "glass"},
    LexiconEntry{.words = "wood break, branch snap, twig snap, splinter, 折断, 断裂",
                 .sound = "break",
                 .score = 0.9,
                 .material = "wood"},
    // Rustle, click
    LexiconEntry{.words = "rustle, paper, crinkle, crumple, page turn, turn page, tear, rip, "
                          "沙沙, 揉, 撕, 纸, 纸张, 翻页, 揉纸, 翻书, 沙沙声",
                 .sound = "rustle",
                 .score = 1.0},
    LexiconEntry{.words = "plastic bag, bag rustle, wrapper, crisp packet, 塑料袋, 包装袋",
                 .sound = "rustle",
                 .score = 1.0,
                 .material = "plastic"},
    LexiconEntry{.words = "cloth rustle, clothes, cloth movement, 衣物摩擦, 衣服摩擦, 衣服",
                 .sound = "rustle",
                 .score = 1.0,
                 .material = "cloth"},
    LexiconEntry{.words = "leaf rustle, leaves rustle, bush, 树叶沙沙, 落叶声, 灌木",
                 .sound = "rustle",
                 .score = 1.0,
                 .material = "earth"},
    LexiconEntry{.words = "click, key click, keystroke, type, keyboard, mouse click, switch, "
                          "button, light switch, 点击, 按键, 键盘, 打字, 开关, 鼠标, 按钮, 咔哒, "
                          "咔嗒",
                 .sound = "click",
                 .score = 1.0,
                 .material = "plastic"},
    // Vehicle, gunshot
    LexiconEntry{.words = "vehicle, pass by, car pass, car pass by, vehicle pass by, drive by, "
                          "pass car, pass truck, "
                          "traffic, 车辆, 车辆驶过, 汽车驶过, 驶过, 车经过, 汽车经过, 交通, 路过",
                 .sound = "vehicle",
                 .score = 1.0},
    LexiconEntry{.words = "truck pass, truck pass by, bus pass, 卡车驶过",
                 .sound = "vehicle",
                 .score = 1.0,
                 .size = 0.85},
    LexiconEntry{.words = "motorcycle pass, motorbike pass, 摩托车驶过",
                 .sound = "vehicle",
                 .score = 1.0,
                 .size = 0.15},
    LexiconEntry{.words = "gunshot, gun, gun shot, gun fire, shot, shoot, gunfire, pistol, 枪声, "
                          "枪, 开枪, 射击, 手枪",
                 .sound = "gunshot",
                 .score = 1.0},
    LexiconEntry{.words = "rifle, shotgun, 步枪, 猎枪, 霰弹枪",
                 .sound = "gunshot",
                 .score = 1.0,
                 .size = 0.8},
    LexiconEntry{.words = "pop, balloon pop, firecracker, 气球爆炸",
                 .sound = "gunshot",
                 .score = 0.6,
                 .size = 0.05},
    // Voices
    LexiconEntry{.words = "animal, animal call, bleat, sheep, goat, 动物, 动物叫声, 羊, 羊叫, 咩",
                 .sound = "animal",
                 .score = 1.0},
    LexiconEntry{.words = "meow, miaow, cat, kitten, cat meow, 猫, 猫叫, 喵",
                 .sound = "animal",
                 .score = 1.0,
                 .size = 0.12},
    LexiconEntry{.words = "moo, cow, cattle, cow moo, 牛, 牛叫, 哞",
                 .sound = "animal",
                 .score = 1.0,
                 .size = 0.88},
    LexiconEntry{.words = "howl, roar, growl, neigh, pig, 嚎叫, 吼叫, 马叫, 猪",
                 .sound = "animal",
                 .score = 0.6},
    LexiconEntry{
        .words = "bark, dog, dog bark, woof, 狗, 狗叫, 犬吠, 汪汪", .sound = "bark", .score = 1.0},
    LexiconEntry{.words = "puppy, yap, 小狗", .sound = "bark", .score = 1.0, .size = 0.12},
    LexiconEntry{.words = "chirp, bird, tweet, birdsong, bird call, bird chirp, 鸟, 鸟叫, 鸟鸣, "
                          "啁啾, 叽叽喳喳",
                 .sound = "chirp",
                 .score = 1.0},
    LexiconEntry{.words = "crow, owl, dove, pigeon, duck, 乌鸦, 猫头鹰, 鸽子, 鸭子",
                 .sound = "chirp",
                 .score = 0.6,
                 .size = 0.9},
    LexiconEntry{.words = "murmur, crowd, chatter, babble, people talk, walla, restaurant, cafe, "
                          "audience, 人群, 嘈杂, 人声, 喧哗, 低语, 人群嘈杂, 餐厅, 观众",
                 .sound = "murmur",
                 .score = 1.0},
    LexiconEntry{
        .words = "talk, speech, voice, people, 说话, 谈话, 人们", .sound = "murmur", .score = 0.6},
    // Interface
    LexiconEntry{.words = "blip, interface, ui, ui click, ui blip, notification, beep, bleep, "
                          "界面, 提示音, 界面音, 哔, 哔哔, 通知音",
                 .sound = "blip",
                 .score = 1.0},
    LexiconEntry{.words = "riser, build up, uplifter, 上升音, 上升音效, 渐强",
                 .sound = "riser",
                 .score = 1.0},
    // Materials
    LexiconEntry{.words = "wood, wooden, timber, oak, plank, bamboo, 木头, 木质, 木制, 木, 竹",
                 .material = "wood"},
    LexiconEntry{.words = "metal, metallic, steel, iron, tin, copper, brass, aluminium, aluminum, "
                          "金属, 钢, 铁, 铜, 铝",
                 .material = "metal"},
    LexiconEntry{.words = "glass, crystal, 玻璃, 水晶", .material = "glass"},
    LexiconEntry{.words = "ceramic, porcelain, clay, pottery, 陶瓷, 瓷, 陶", .material = "ceramic"},
    LexiconEntry{.words = "plastic, rubber, 塑料, 橡胶", .material = "plastic"},
    LexiconEntry{.words = "stone, rock, concrete, brick, marble floor, pavement, asphalt, 石头, "
                          "石, 岩石, 混凝土, 水泥, 砖, 路面",
                 .material = "stone"},
    LexiconEntry{.words = "earth, soil, dirt, mud, gravel, grass, snow, leaf, leaves, beach, 泥土, "
                          "土, 泥, 碎石, 沙子, 沙, 草地, 草, "
                          "雪地, 雪, 落叶, 树叶",
                 .material = "earth"},
    LexiconEntry{.words = "cloth, fabric, carpet, rug, pillow, cushion, leather, soft body, 布, "
                          "织物, 地毯, 枕头, 垫子, 皮革",
                 .material = "cloth"},
    // Size, strength, duration
    LexiconEntry{.words = "small, little, tiny, thin, 小, 细小, 细, 微小", .size = 0.2},
    LexiconEntry{.words = "big, large, huge, giant, deep, 大, 巨大, 庞大, 巨, 低沉", .size = 0.85},
    LexiconEntry{.words = "heavy, massive, 沉重, 重, 重重", .size = 0.8, .intensity = 0.8},
    LexiconEntry{.words = "soft, softly, gentle, gently, quiet, quietly, light, lightly, faint, "
                          "slow, 轻, 轻轻, 轻微, 微弱, 柔和, 安静, 缓慢",
                 .intensity = 0.25},
    LexiconEntry{.words = "loud, loudly, hard, strong, strongly, violent, intense, fast, 响亮, "
                          "大声, 猛烈, 用力, 强, 剧烈, 快速",
                 .intensity = 0.85},
    LexiconEntry{.words = "continuous, constant, steady, loop, ambience, ambient, background, "
                          "持续, 不断, 连续, 背景, 环境音",
                 .sustained = true},
    LexiconEntry{.words = "single, once, short, brief, one-shot, 一声, 一下, 短促, 单次",
                 .sustained = false},
};

}  // namespace

std::span<const LexiconEntry> lexicon_entries() { return kEntries; }

}  // namespace qingyin
