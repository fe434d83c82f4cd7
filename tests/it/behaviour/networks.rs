//! Content delivery networks.

use super::*;

/// Users in Virginia, and others in Frankfurt, who ask a network with these keys; its origin is in Seoul.
fn readers(class: &str, keys: &str) -> String {
    format!(
        "[network]\nregions = 'aws'\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '100s'\nwarmup = '20s'\n\
         [request.photo]\n{class}\n[client.users]\ntarget = 'edge'\nregion = 'us-east-1'\nrate = '400/s'\n\
         [client.others]\ntarget = 'edge'\nregion = 'eu-central-1'\nrate = '400/s'\n\
         [cdn.edge]\norigin = 'web'\nregions = ['us-east-1', 'eu-central-1']\n{keys}\n\
         [server.web]\npublic = true\nregion = 'ap-northeast-2'\nworkers = 100000\nmemory = '900GiB'\nsteps = [{{ wait = '0ms' }}]\n"
    )
}

const ZIPF: &str = "keys = 10000\nzipf = 0.99\ncacheable = true";

#[test]
fn far_readers_pay_the_long_way_for_what_the_edge_does_not_have() {
    // Che's approximation, and the measured round trips between the regions.
    let text = readers(ZIPF, "entries = 1000");
    let far = |region: &str| {
        let text = readers("", "").replace("'us-east-1'\nrate", &format!("'{region}'\nrate"));
        let text = text.replace("target = 'edge'", "target = 'web'").replace("[client.others]", "[client.z]");
        let (scenario, record) = run(&text.replace("rate = '400/s'\n[cdn", "rate = '1/h'\n[cdn"));
        figure(&scenario, &record, "mean_ms")
    };
    let (virginia, frankfurt) = (far("us-east-1"), far("eu-central-1"));
    assert!((165.0..185.0).contains(&virginia), "{virginia}");
    let mean = (1.0 - 0.6641) * (virginia + frankfurt) / 2.0;
    check(
        &text,
        &[
            ("edge.us-east-1.hit_share", 0.655..=0.673),
            ("edge.eu-central-1.hit_share", 0.655..=0.673),
            ("mean_ms", about(mean, 0.03)),
            ("web.rate", about(800.0 * 0.3359, 0.04)),
            ("ok", 1.0..=1.0),
        ],
    );
}

#[test]
fn a_shield_asks_the_origin_once_for_all_edges() {
    let cold = |keys: &str| readers("keys = 100\ncacheable = true", keys).replace("'20s'", "'0s'");
    let once = "coalesce = true";
    check(&cold(once), &[("web.rate", 2.0..=2.0)]);
    check(&cold(&format!("{once}\nshield = 'ap-northeast-2'")), &[("web.rate", 1.0..=1.0)]);
    // A purge has every key asked for once more.
    let purge = "[[fault]]\nkind = 'flush'\ntarget = 'edge'\nat = '50s'\n";
    check(&(cold(once) + purge), &[("web.rate", 4.0..=4.0)]);
    let purge = purge.replace("'edge'", "'edge.us-east-1'");
    check(&(cold(once) + &purge), &[("web.rate", 3.0..=3.0)]);
}

#[test]
fn a_purge_has_every_key_asked_for_once_by_each_edge_or_by_the_shield() {
    let purged = |keys: &str, of: &str, when: &str| {
        readers("keys = 100\ncacheable = true", &format!("coalesce = true\n{keys}")).replace("'20s'", "'0s'")
            + &format!("[[operation]]\nname = 'new'\nkind = 'purge'\ntarget = '{of}'\n{when}\n")
    };
    let (planned, shield) = ("at = '50s'", "shield = 'ap-northeast-2'");
    check(&purged("", "edge", planned), &[("web.rate", 4.0..=4.0)]);
    check(&purged("", "edge.us-east-1", planned), &[("web.rate", 3.0..=3.0)]);
    check(&purged(shield, "edge", planned), &[("web.rate", 2.0..=2.0)]);
    check(&purged(shield, "edge.us-east-1", planned), &[("web.rate", 1.0..=1.0)]);
    check(
        &purged(shield, "edge", "at = '50s'\n[[operation]]\nkind = 'purge'\ntarget = 'edge'\nat = '60s'"),
        &[("web.rate", 3.0..=3.0)],
    );
    // An alert that goes on calls once for one purge; one that nobody raises calls for none.
    let watch = |on: &str| {
        format!(
            "after = '5s'\n[monitor.watch]\nregion = 'ap-northeast-2'\nscrape = '1s'\nevaluate = '1s'\n\
             [[monitor.watch.alert]]\non = '{on}'\nof = 'web'\nwindow = '10s'\ncalls = 'new'"
        )
    };
    let none = purged("", "edge", &watch("error_rate > 10%"));
    check(&none, &[("web.rate", 2.0..=2.0)]);
    let (scenario, record) = run(&purged("", "edge", &watch("throughput > 10/s")));
    let rate = figure(&scenario, &record, "web.rate");
    assert!(rate >= 4.0 && rate % 2.0 == 0.0, "{rate}");
}

#[test]
fn what_may_not_be_kept_goes_to_the_origin() {
    let classes = "keys = 100\ncacheable = true\nshare = 75\n[request.cart]\nshare = 25\nkeys = 100";
    let text = readers(classes, "shield = 'us-east-1'");
    check(&text, &[("web.rate", about(200.0, 0.05)), ("edge.shield.rate", about(200.0, 0.05))]);
    let share = "response_size = '1KiB'\n";
    let text = readers(&format!("{share}{ZIPF}"), "").replace("'400/s'", "'100/s'");
    check(&text, &[("edge.us-east-1.bytes_out", about(100.0 * 100.0 * 1024.0, 0.05))]);
}

#[test]
fn an_origin_that_is_down_leaves_what_the_edges_have() {
    let down = "[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '40s'\nfor = '60s'\n";
    let class = "keys = 100\ncacheable = true";
    let text = |keys: &str| readers(class, keys) + down;
    check(&text("ttl = '1h'"), &[("ok", 1.0..=1.0)]);
    // After their time all entries are gone within 10 s of the crash.
    check(&text("ttl = '10s'"), &[("ok", 0.40..=0.55)]);
    check(&text("ttl = '10s'\nstale_for = '2min'"), &[("ok", 1.0..=1.0)]);
    check(&text("ttl = '10s'\nstale_for = '20s'"), &[("ok", 0.60..=0.75)]);
}

#[test]
fn users_of_an_edge_that_is_gone_ask_the_next_one() {
    let gone = "[[fault]]\nkind = 'crash'\ntarget = 'edge.us-east-1'\nat = '70s'\nfor = '1h'\n";
    let text = readers("keys = 100\ncacheable = true", "") + gone;
    check(&text, &[("ok", 1.0..=1.0), ("edge.eu-central-1.rate", about(600.0, 0.04))]);
}

#[test]
fn answers_of_an_edge_have_a_price() {
    // 800 answers a second of 1 MiB: 2812.5 GiB an hour at USD 0.1, and 2.88 million answers at a millionth.
    let cost = |keys: &str| {
        let class = format!("{ZIPF}\nresponse_size = '1MiB'");
        let [cost] = crate::cache::values(&readers(&class, keys), ["cost_per_hour"]);
        cost
    };
    assert_eq!(cost(""), 0.0);
    let (traffic, answers) = (cost("price_per_gib = 0.1"), cost("price_per_request = 0.000001"));
    assert!(
        (traffic / 281.25 - 1.0).abs() < 0.02 && (answers / 2.88 - 1.0).abs() < 0.02,
        "{traffic} {answers}"
    );
}
