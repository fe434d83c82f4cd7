// All words of the page, in English and Korean. Words that come from the engine, such as errors and reasons, stay English.

const STRINGS = {
  en: {
    language: "한국어", scenario: "Scenario", theme: "Light or dark", motion: "Reduce motion", keys: "Keys",
    find: "What to find", next: "Next: {step} {title}", hint: "Drag me: double the load", fromnow: "from this moment on, not from the start", before: "To the event before", after: "To the next event",
    play: "Play", pause: "Pause", time: "Time in the trial", speed: "Speed", copy: "Copy", copied: "Copied",
    fingerprint: "Fingerprint of this trial:", fingerprints: "Fingerprint of all these trials:", share: "Link to this", pictures: "Pictures", reset: "As it was", stop: "Stop",
    toml: "The scenario (TOML)", run: "Run it", numbers: "Numbers",
    about: "Everything here is computed in this page by the same engine as the command line, from the text above. Nothing is sent anywhere. The playback shows trial 1 of the scenario.",
    trials: "Run all {n} trials", trialsdone: "{n} trials: what the scenario expects", running: "trial {trial}: {share}", trial: "Trial {n}: {answered}",
    "load.users": "Users", "load.per_s": "Requests a second", "load.times": "Load", "unit.users": "users", "unit.per_s": "/s", "unit.times": "×",
    "now.load.users": "{load} users", "now.load.per_s": "{load} requests a second", "now.load.times": "{load} times the load",
    now: "{load}: {ok}/s answered in {mean} on average. Busiest: {box}, {busy}.", nowerrors: "{load}: {ok}/s answered, {errors}/s fail.",
    caption: "Each dot is one request at its true place, {speed} of real time.", captionsome: "One of {every} requests is drawn, at its true place, {speed} of real time.",
    captionwait: "The requests are being followed …", captionfast: "Too fast for single requests: choose ×0.05 to see them. Bars show means over {window}.",
    happened: "At {time}, {box}: {event}.",
    knee: "Mean response, ms, by load", kneelabel: "The mean response time by load, with the load of now",
    "chart.rates": "Requests a second", "chart.response": "Response, ms", "chart.inside": "Calls inside", "chart.busy": "Busy cores, %", "chart.lag": "Replication lag, s",
    "line.ok": "answered", "line.errors": "failed", "line.mean": "mean", "line.lag": "furthest behind",
    "kind.client": "users", "kind.dns": "DNS", "kind.balancer": "balancer", "kind.server": "server", "kind.database": "database", "kind.cache": "cache", "kind.queue": "queue",
    onemachine: "one machine", boxlabel: "{name}: {state}, {busy} busy, {calls} calls inside",
    "state.up": "up", "state.down": "down", "state.hung": "hangs", "state.paused": "paused", "state.slow": "slow", "state.out": "out of rotation", "state.fenced": "fenced", "state.full": "disk full", "state.empty": "no records",
    "do.crash": "Kill it", "do.pause": "Pause it for 10 s", "do.slow": "Make it 4 times slower", "do.restart": "Restart it (5 s)", "do.repair": "Repair it", menu: "{name}, at {time}",
    faults: "Faults in the scenario", remove: "Remove", "figure.availability": "Answered", "figure.mean": "Mean", "figure.p99": "p99", "figure.rto": "Outage of writes", "figure.lost": "Lost writes", "figure.busiest": "Busiest", was: "was {value}",
    unsteady: "grows without end", failed: "This cannot run; the last result stays. See the message below the text.",
    panic: "The engine has stopped. Please report this text:", badlink: "The link is broken: the page shows its own scenario.",
    otherlink: "The link was made by version {version}, with fingerprint {fingerprint}.", linkcopied: "The link is in the address and on the clipboard. It holds the scenario; nothing is sent.",
    tofree: "All scenarios", tochapter: "The chapter, step by step", opened: "Given on the command line",
    "verdict.holds": "holds", "verdict.fails": "fails", "verdict.not shown": "not shown",
    mismatch: "The engine gives {now}, where {then} was expected: that came from another version.",
    "key.space": "play or pause", "key.arrows": "one second back or on; with Shift to the event before or the next", "key.speed": "speed", "key.k": "menu of a box: K, then its number", "key.r": "remove all faults that were added", "key.t": "the text", "key.help": "this list",
    svgsaved: "Charts of this trial, as the report draws them:", ready: "ready in {ms}",
  },
  ko: {
    language: "English", scenario: "시나리오", theme: "밝게 또는 어둡게", motion: "움직임 줄이기", keys: "단축키",
    find: "찾아볼 것", next: "다음: {step} {title}", hint: "끌어 보세요: 부하를 두 배로", fromnow: "처음부터가 아니라 지금 이 순간부터", before: "앞 사건으로", after: "다음 사건으로",
    play: "재생", pause: "멈춤", time: "시행 안의 시각", speed: "속도", copy: "복사", copied: "복사했습니다",
    fingerprint: "이 시행의 지문:", fingerprints: "이 시행 전체의 지문:", share: "링크 만들기", pictures: "그림 저장", reset: "처음대로", stop: "중지",
    toml: "시나리오 (TOML)", run: "실행", numbers: "수치 보기",
    about: "여기 나오는 모든 수치는 명령줄과 똑같은 엔진이 위의 글에서 이 페이지 안에서 계산합니다. 어디로도 보내지 않습니다. 재생은 시나리오의 첫 번째 시행을 보여 줍니다.",
    trials: "시행 {n}번 모두 실행", trialsdone: "시행 {n}번: 시나리오의 기대", running: "시행 {trial}: {share}", trial: "시행 {n}: {answered}",
    "load.users": "사용자 수", "load.per_s": "초당 요청 수", "load.times": "부하", "unit.users": "명", "unit.per_s": "/s", "unit.times": "배",
    "now.load.users": "사용자 {load}명", "now.load.per_s": "초당 요청 {load}개", "now.load.times": "부하 {load}배",
    now: "{load}: 초당 {ok}개를 평균 {mean}에 답합니다. 가장 바쁜 곳은 {box}, {busy}.", nowerrors: "{load}: 초당 {ok}개를 답하고 {errors}개가 실패합니다.",
    caption: "점 하나가 요청 하나이며, 그 순간의 실제 위치입니다. 실제 시간의 {speed}배.", captionsome: "요청 {every}개 가운데 하나를 실제 위치에 그립니다. 실제 시간의 {speed}배.",
    captionwait: "요청을 따라가는 중입니다 …", captionfast: "요청 하나하나를 보기에는 너무 빠릅니다. ×0.05를 고르면 보입니다. 막대는 {window} 동안의 평균입니다.",
    happened: "{time}, {box}: {event}.",
    knee: "부하에 따른 평균 응답 시간, ms", kneelabel: "부하에 따른 평균 응답 시간과 지금의 부하",
    "chart.rates": "초당 요청 수", "chart.response": "응답 시간, ms", "chart.inside": "안에 있는 호출", "chart.busy": "바쁜 코어, %", "chart.lag": "복제 지연, s",
    "line.ok": "성공", "line.errors": "실패", "line.mean": "평균", "line.lag": "가장 뒤처진 복제본",
    "kind.client": "사용자", "kind.dns": "DNS", "kind.balancer": "로드밸런서", "kind.server": "서버", "kind.database": "데이터베이스", "kind.cache": "캐시", "kind.queue": "큐",
    onemachine: "서버 한 대", boxlabel: "{name}: {state}, 사용률 {busy}, 안에 있는 호출 {calls}",
    "state.up": "정상", "state.down": "죽음", "state.hung": "멎음", "state.paused": "정지", "state.slow": "느림", "state.out": "부하 분산에서 제외", "state.fenced": "격리됨", "state.full": "디스크 가득 참", "state.empty": "레코드 없음",
    "do.crash": "죽이기", "do.pause": "10초 정지", "do.slow": "네 배 느리게", "do.restart": "다시 시작 (5초)", "do.repair": "고치기", menu: "{name}, {time}",
    faults: "시나리오의 장애", remove: "지우기", "figure.availability": "성공률", "figure.mean": "평균", "figure.p99": "p99", "figure.rto": "쓰기 중단", "figure.lost": "잃은 쓰기", "figure.busiest": "가장 바쁜 곳", was: "이전 {value}",
    unsteady: "끝없이 늘어남", failed: "실행할 수 없어 앞의 결과를 그대로 둡니다. 글 아래의 메시지를 보세요.",
    panic: "엔진이 멈췄습니다. 아래 글을 알려 주세요:", badlink: "링크가 깨져 있어 이 페이지의 시나리오를 엽니다.",
    otherlink: "버전 {version}이 만든 링크이고, 지문은 {fingerprint}입니다.", linkcopied: "링크가 주소창과 클립보드에 있습니다. 링크 안에 시나리오가 들어 있고, 아무것도 보내지 않습니다.",
    tofree: "모든 시나리오", tochapter: "한 장을 한 걸음씩", opened: "명령줄에서 연 시나리오",
    "verdict.holds": "맞음", "verdict.fails": "틀림", "verdict.not shown": "알 수 없음",
    mismatch: "엔진의 지문은 {now}인데 {then}이어야 합니다. 서로 다른 버전에서 나온 것입니다.",
    "key.space": "재생 또는 멈춤", "key.arrows": "1초 앞뒤로, Shift와 함께 앞뒤 사건으로", "key.speed": "속도", "key.k": "상자 메뉴: K 다음에 번호", "key.r": "더한 장애를 모두 지우기", "key.t": "시나리오 글", "key.help": "이 목록",
    svgsaved: "보고서와 같은 이 시행의 차트:", ready: "{ms} 만에 준비",
  },
};

let language = "en";

/** The words of a key, with values in place of `{names}`. */
function t(key, values = {}) {
  const words = STRINGS[language][key] ?? STRINGS.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
