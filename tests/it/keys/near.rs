//! Keys of edges near users, of who is logged in there, and of switches between sites.

use super::{HEAD, Row, fault};

pub(super) const NETWORKS: &[Row] = &[
    ("cdn.regions", "cdn", "", "['us-east-1']"),
    ("cdn.shield", "cdn", "", "ap-northeast-2"),
    ("cdn.shield_entries", "cdn", "edge.shield=ap-northeast-2", "500"),
    ("cdn.entries", "cdn", "", "200"),
    ("cdn.memory", "cdn-small", "", "200KiB"),
    ("cdn.item", "cdn-small", "", "2KiB"),
    ("cdn.ttl", "cdn", "", "2s"),
    ("cdn.ttl_jitter", "cdn", "edge.ttl=2s", "0.5"),
    ("cdn.evict", "cdn", "", "fifo"),
    ("cdn.coalesce", "cdn", "", "true"),
    ("cdn.lease", "cdn", "edge.coalesce=true", "20ms"),
    ("cdn.stale_for", "cdn", "edge.ttl=2s", "1s"),
    ("cdn.negative", "cdn", "request.photo.missing=0.5", "1s"),
    ("cdn.timeout", "cdn", "", "1s"),
    ("cdn.connect_timeout", "cdn", "", "1s"),
    ("cdn.price_per_gib", "cdn", "", "1000"),
    ("cdn.price_per_request", "cdn", "", "0.001"),
];

pub(super) const SWITCHES: &[Row] = &[
    ("switch.by", "sites", "run.duration=100s", "check"),
    ("switch.after", "sites", "run.duration=100s;over.by=check", "20s"),
    ("switch.needs", "sites", "run.duration=100s;over.by=check", "['tools']"),
    ("switch.steps", "sites", "run.duration=100s;over.by=check", "[['db', '2s']]"),
    ("switch.warm", "sites", "run.duration=100s;over.by=check", "true"),
];

/// Two sites, of which one is lost together with a box that can be needed.
fn sites(open: &str) -> String {
    format!(
        "{open}target = 'www'\n[dns.www]\nrecords = ['one', 'other']\nttl = '1s'\n\
         [server.one]\npublic = true\nsteps = [{{ query = 'db' }}]\n[server.other]\npublic = true\nsteps = [{{ query = 'db' }}]\n\
         [database.db]\nreplicas = 1\nreads = 'primary'\n[server.tools]\nsteps = [{{ cpu = '1ms' }}]\n\
         [switch.over]\nfrom = ['one', 'db.primary']\nto = ['other', 'db.replica-1']\n\
         steps = [['db', '1s'], ['dns', '1s']]\n{}",
        fault("power-off", "one", 5).replace("4s", "60s") + &fault("crash", "tools", 38)
    )
}

pub(super) const MONITORS: &[Row] = &[
    ("monitor.scrape", "watch", "", "2s"),
    ("monitor.evaluate", "watch", "", "2s"),
    ("monitor.absent", "dead-watch", "", "5s"),
    ("monitor.alert[0].on", "watch", "", "availability < 99%"),
    ("monitor.alert[0].of", "watch", "", "spare"),
    ("monitor.alert[0].window", "watch", "", "9s"),
    ("monitor.alert[0].for", "watch", "", "3s"),
    ("monitor.alert[1].merge", "watch", "", "average"),
    ("monitor.alert[0].calls", "watch", "", "more"),
];

/// Servers of which one fails, and a monitor that may fail too.
pub(super) fn watch(name: &str, open: &str) -> String {
    let dies = if name == "dead-watch" { fault("crash", "watch", 15) } else { String::new() };
    let errors =
        fault("errors", "web-1", 6) + "share = '30%'\n" + &fault("slow", "web-2", 12) + "factor = 20\n";
    format!(
        "{open}target = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web', 'spare']\n\
         [server.web]\ncount = 2\nsteps = [{{ cpu = '2ms' }}]\n[server.spare]\nsteps = [{{ cpu = '3ms' }}]\n\
         [monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n\
         [[monitor.watch.alert]]\non = 'error_rate > 1%'\nof = 'web'\nwindow = '3s'\n\
         [[monitor.watch.alert]]\non = 'p99(response) > 10ms'\nof = 'web'\nwindow = '3s'\n\
         [[operation]]\nname = 'more'\nkind = 'scale'\ntarget = 'web'\nafter = '2s'\nto = 4\nboot = '1s'\nstart = '1s'\n\
         {errors}{dies}"
    )
}

/// Scenarios for edges near users, for who is logged in, and for two sites.
pub(super) fn base(name: &str, open: &str, closed: &str, one: &str, data: &str) -> String {
    match name {
        "cdn" => format!(
            "[network]\nregions = 'aws'\n[request.photo]\nshare = 200\nkeys = 1000\nzipf = 0.9\ncacheable = true\nresponse_size = '1KiB'\n{}\
                 target = 'edge'\nregion = 'us-east-1'\n[client.others]\ntarget = 'edge'\nregion = 'eu-central-1'\nrate = '30/s'\n\
                 [cdn.edge]\norigin = 'web'\nregions = ['us-east-1', 'eu-central-1']\nentries = 100\n\
                 [server.web]\npublic = true\nregion = 'ap-northeast-2'\nsteps = [{{ wait = '20ms' }}]\n{}{}",
            open.replace("3s", "30s"),
            fault("power-off", "web", 10),
            fault("hang", "web", 20)
        ),
        "logins" => {
            let auth = "[server.auth]\nsteps = [{ wait = '30ms' }]\n[cache.kept]\n";
            let knows = "sessions = { ttl = '400ms', login = { call = 'auth' } }\n";
            format!("{closed}target = 'web'\n{one}{knows}{auth}{data}")
        }
        "cookies" => base("logins", open, closed, one, data) + &super::fault("crash", "web", 10),
        "sites" => sites(open),
        "stored" => format!("{closed}target = 'web'\n{one}sessions = {{}}\n[cache.kept]\n{data}"),
        _ => {
            super::base("cdn")[HEAD.len()..].replace("entries = 100\n", "memory = '100KiB'\nitem = '1KiB'\n")
        }
    }
}
