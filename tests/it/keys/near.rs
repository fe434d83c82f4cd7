//! Keys of edges near users, and of who is logged in there.

use super::{HEAD, Row, fault};

pub(super) const NETWORKS: &[Row] = &[
    ("cdn.regions", "cdn", "", "['us-east-1']"),
    ("cdn.shield", "cdn", "", "ap-northeast-2"),
    ("cdn.entries", "cdn", "", "200"),
    ("cdn.memory", "cdn-small", "", "200KiB"),
    ("cdn.item", "cdn-small", "", "2KiB"),
    ("cdn.ttl", "cdn", "", "2s"),
    ("cdn.ttl_jitter", "cdn", "edge.ttl=2s", "0.5"),
    ("cdn.evict", "cdn", "", "fifo"),
    ("cdn.coalesce", "cdn", "", "true"),
    ("cdn.lease", "cdn", "edge.coalesce=true", "20ms"),
    ("cdn.stale_for", "cdn", "edge.ttl=2s", "1s"),
    ("cdn.timeout", "cdn", "", "1s"),
    ("cdn.connect_timeout", "cdn", "", "1s"),
];

/// Scenarios for edges near users, and for who is logged in.
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
        "stored" => format!("{closed}target = 'web'\n{one}sessions = {{}}\n[cache.kept]\n{data}"),
        _ => {
            super::base("cdn")[HEAD.len()..].replace("entries = 100\n", "memory = '100KiB'\nitem = '1KiB'\n")
        }
    }
}
