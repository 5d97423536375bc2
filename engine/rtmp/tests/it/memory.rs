//! What a connection costs that does nothing.

use allocation_counter::measure;
use bytes::Bytes;
use media::Time;
use rtmp::session::Intent;
use rtmp::{ClientSession, ServerSession};

use crate::client::{Harness, config};
use crate::pair::{Pair, client_config};

/// As many as a test holds at one time.
const SESSIONS: usize = 200;
/// The most one of them may hold, in bytes.
const MOST: usize = 24 << 10;

/// Makes sessions and says how many bytes each holds, with itself.
fn each<T>(make: impl Fn() -> T) -> usize {
    let mut held = Vec::with_capacity(SESSIONS);
    let made = measure(|| held.extend((0..SESSIONS).map(|_| make())));
    usize::try_from(made.bytes_current).unwrap() / SESSIONS + size_of::<T>()
}

fn modest(bytes: usize) {
    assert!((size_of::<ServerSession>()..MOST).contains(&bytes), "{bytes} bytes each");
}

#[test]
fn half_open_connections() {
    for sent in [0, 1, 700, 1537, 2000] {
        modest(each(|| {
            let mut session = ServerSession::new(config(), Time::ZERO);
            let mut input = Bytes::from(vec![3; sent]);
            session.handle_input(&mut input, Time::ZERO).unwrap();
            while session.poll_output().is_some() {}
            session
        }));
    }
}

#[test]
fn idle_publishers() {
    modest(each(|| Harness::new().publishing().session));
}

#[test]
fn idle_players_and_clients() {
    modest(each(|| {
        let pair = Pair::started(Intent::Play);
        (pair.server, pair.client)
    }));
    modest(each(|| ClientSession::new(client_config(Intent::Publish), Time::ZERO)));
}

#[test]
fn lengths_that_are_only_announced() {
    let streams = rtmp::Limits::default().chunk_streams as u32 - 2;
    let bytes = each(|| {
        let mut h = Harness::new().publishing();
        // On all chunk streams there may be, messages of 8 MiB begun, each
        // with one chunk of 128 bytes.
        for on in 2..2 + streams as u8 {
            if !(2..=6).contains(&on) {
                let begun = [&crate::chunks::full(on, 0, 8 << 20, 9, 1)[..], &[7; 128]].concat();
                h.client.bytes.extend_from_slice(&begun);
            }
        }
        h.pump().unwrap();
        h.session
    });
    assert!((57 * (4 << 10)..512 << 10).contains(&bytes), "{bytes} bytes each");
}
