//! Whole shows, run offline and in real time.
#![allow(clippy::unwrap_used, missing_docs)]

mod alone;
mod checks;
mod colours;
mod embedding;
mod encryption;
mod failures;
mod fake;
mod faults;
mod files;
mod hall;
mod http_flv;
mod iso;
mod killed;
mod live;
mod matrix;
mod pictures;
mod rehearse;
mod scenes;
mod secure;
mod sources;
mod step;
mod support;
mod switching;
mod wires;
