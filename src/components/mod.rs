//! One file for each box that the chapter draws. A component never imports another.

pub mod autoscaler;
pub mod balancer;
pub mod cache;
pub mod client;
pub mod database;
pub mod dns;
pub mod monitor;
pub mod queue;
pub mod server;
pub mod switch;

use crate::model::spec::Kind;

/// The kinds of box that scenarios may use; one row holds a kind's name, reader, schema, help and gauges.
pub const KINDS: &[Kind] = &[
    Kind::of::<client::ClientSpec>(
        "client",
        "Users: a closed population, an open stream of requests, or sessions.",
    )
    .with(client::GAUGES),
    Kind::of::<dns::DnsSpec>("dns", "A name and the addresses that it stands for.").with(dns::GAUGES),
    Kind::of::<balancer::BalancerSpec>(
        "balancer",
        "Hands each call to one of several targets, by a policy and what its checks tell it.",
    )
    .with(balancer::GAUGES),
    Kind::of::<server::ServerSpec>(
        "server",
        "A group of identical machines that work through steps for every call.",
    )
    .with(server::GAUGES),
    Kind::of::<database::DatabaseSpec>(
        "database",
        "A database node: reads, writes, connections, commits, a cache and a disk.",
    )
    .with(database::GAUGES),
    Kind::of::<cache::CacheSpec>(
        "cache",
        "Keeps what a database has answered, up to a number of entries and for a time.",
    )
    .with(cache::GAUGES),
    Kind::of::<cache::CdnSpec>(
        "cdn",
        "A content delivery network: caches near users, in front of an origin.",
    )
    .with(cache::CDN_GAUGES),
    Kind::of::<queue::QueueSpec>(
        "queue",
        "Accepts messages at once, and has workers pull them when they are free.",
    )
    .with(queue::GAUGES),
    Kind::of::<autoscaler::AutoscalerSpec>(
        "autoscaler",
        "Looks at a group of servers, and decides how many machines it has.",
    )
    .with(autoscaler::GAUGES),
    Kind::of::<switch::SwitchSpec>("switch", "Moves the users to another site when theirs is lost.")
        .with(switch::GAUGES),
    Kind::of::<monitor::MonitorSpec>(
        "monitor",
        "Asks the members of other boxes for figures now and then, and raises alerts.",
    )
    .with(monitor::GAUGES),
];
