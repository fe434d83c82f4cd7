//! An exercise for tests.

use super::exercise::Exercise;
use super::read;

/// The load of a box is doubled.
pub(crate) const TEXT: &str = r#"
schema = "outgrow.exercise/1"
id = "twice"
section = "1.1"
vary = [{ users = "10" }, { users = "12" }, { users = "14" }]
values = { once = "mean(response)", twice = "double: mean(response)" }
holds = ["twice > once"]

[[run]]
name = "single"
scenario = "box.toml"
set = { "users.users" = "5" }
trials = 5

[[run]]
name = "double"
scenario = "box.toml"
set = { "users.users" = "{users}" }
trials = 5

[[ask]]
kind = "number"
name = "ratio"
unit = "factor"
measured = "twice / once"
tolerance = "30%"
wrong = [["> 4 * key", "much"], ["= 2", "linear"]]

[[ask]]
kind = "choice"
name = "why"
answer = "queue"
options = ["queue", "network"]

[en]
title = "Twice the users"
question = "{users} users instead of half of them: how much longer does an answer take?"
hint = "Who waits for whom?"
explain = "{once} became {twice}: x{= twice / once | factor}."
ask = { ratio = "mean response", why = "Why?" }
option = { queue = "they wait for each other", network = "the network is full" }
wrong = { much = "Not that much.", linear = "Nothing queues in your head.", network = "It is not." }

[ko]
title = "사용자 두 배"
question = "사용자가 절반 대신 {users}명이면 응답은 얼마나 느려질까요?"
hint = "누가 누구를 기다릴까요?"
explain = "{once}에서 {twice}로 늘었습니다. {= twice / once | factor}배입니다."
ask = { ratio = "평균 응답 시간", why = "왜 그럴까요?" }
option = { queue = "서로를 기다립니다", network = "네트워크가 가득 찼습니다" }
wrong = { much = "그 정도는 아닙니다.", linear = "대기열을 잊었습니다.", network = "아닙니다." }
"#;

/// The scenario beside it.
pub(crate) const BOX: &str = "[run]\nduration = '30s'\nwarmup = '5s'\n[client.users]\nusers = 5\nthink_time = '400ms'\n\
                              target = 'box'\n[server.box]\npublic = true\ncores = 1\nsteps = [{ cpu = '40ms' }]\n";

/// The exercise of [`TEXT`].
pub(crate) fn exercise() -> Exercise {
    read::exercise("twice.toml", TEXT).expect("it is right")
}
