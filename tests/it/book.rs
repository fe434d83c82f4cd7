//! The documentation as a book: it has every page, and every link in it leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::golden::root;

/// The pages that the book may leave out: its own index, and what only GitHub shows.
const LEFT_OUT: [&str; 1] = ["docs/book/SUMMARY.md"];

#[test]
fn the_book_has_every_page() {
    let summary = fs::read_to_string(root().join("docs/book/SUMMARY.md")).expect("the list of pages");
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name =
                path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            if name.ends_with(".md") && !LEFT_OUT.contains(&name.as_str()) {
                assert!(summary.contains(&format!("({name})")), "docs/book/SUMMARY.md lacks {name}");
            }
        }
    }
}

/// The pages of a book that was built, and the names that each of them has.
fn pages(book: &Path) -> BTreeMap<PathBuf, (String, BTreeSet<String>)> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![book.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let html = fs::read_to_string(&path).expect("a page");
                let ids =
                    html.split(" id=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
                let ids = ids.collect();
                pages.insert(path, (html, ids));
            }
        }
    }
    pages
}

/// The path without `.` and `..`, which must not lead out of the book.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// `docs/book/build.sh` builds the book and runs this; without a book there is nothing to check.
#[test]
fn every_link_of_the_book_leads_somewhere() {
    let Some(book) = std::env::var_os("OUTGROW_BOOK") else { return };
    let book = PathBuf::from(book);
    let pages = pages(&book);
    assert!(pages.len() > 30, "only {} pages in {}", pages.len(), book.display());
    let mut dead = Vec::new();
    for (page, (html, _)) in &pages {
        // Its base is the address where the book is served, whatever that is.
        if page.ends_with("404.html") {
            continue;
        }
        let links = ["href=\"", "src=\""].into_iter().flat_map(|name| html.split(name).skip(1));
        for link in links.filter_map(|rest| Some(rest.split_once('"')?.0)) {
            if link.contains("://")
                || link.starts_with("data:")
                || link.starts_with("mailto:")
                || link.is_empty()
            {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.parent().expect("a page is in a folder");
            let target = if path.is_empty() { page.clone() } else { plain(&folder.join(path)) };
            let anchor = anchor.replace("%20", " ");
            let is_there = match pages.get(&target) {
                Some((_, ids)) => anchor.is_empty() || ids.contains(&anchor),
                None => target.exists() && target.starts_with(&book),
            };
            if !is_there {
                dead.push(format!("{}: {link}", page.strip_prefix(&book).expect("in the book").display()));
            }
        }
    }
    dead.sort();
    dead.dedup();
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}
