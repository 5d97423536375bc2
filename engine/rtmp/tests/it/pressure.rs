//! Back-pressure: nothing is lost while the caller is slow.

use proptest::prelude::*;
use rtmp::Limits;

use crate::client::Harness;

proptest! {
    #[test]
    fn a_slow_caller_gets_every_tag_in_order(
        events in 1usize..20,
        bytes in 1usize..2000,
        reads in prop::collection::vec(0usize..5, 1..50),
    ) {
        let limits = Limits { queued_events: events, queued_bytes: bytes, ..Limits::default() };
        let mut h = Harness::limited(limits).publishing();
        for timestamp in 0..100 {
            h.client.audio(timestamp, vec![0xAF; 1 + timestamp as usize % 300]);
        }
        let mut reads = reads.into_iter().chain([1]).cycle();
        while h.events.len() < 100 {
            h.deliver().unwrap();
            prop_assert!(h.waiting.is_empty() || !h.session.wants_input());
            for _ in 0..reads.next().unwrap() {
                h.events.extend(h.session.poll_event());
            }
        }
        let tags = h.tags();
        prop_assert!(tags.iter().map(|tag| tag.1).eq(0..100));
        prop_assert!(h.waiting.is_empty());
    }
}
