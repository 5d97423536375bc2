//! The hot paths, each done once between two marks, for `scripts/counts.sh` to count the
//! instructions of: a figure that is the same on a busy machine.
//!
//! Called by itself, it does each once and says so.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use ::rtmp::chunk::ChunkSize;
use benches::{lookahead, pieces, rtmp, scheduling, tags};
use bytes::BytesMut;
use codecs::lookahead::Planner;
use crypto::{KeyId, KeyRing, MasterKey, Mode, ROOM, TagDecryptor, TagEncryptor};
use flv::{Room, Tag, TagBuf, TagKind};
use media::Size;

/// What is counted: the tool that counts begins and ends here, by the function's name.
#[inline(never)]
fn counted_path(work: &mut dyn FnMut()) {
    work();
    // Or the call would be a jump, and nobody would see it end.
    black_box(());
}

/// Does it once to warm up (allocators, tables), then once to be counted.
fn path(name: &str, mut work: impl FnMut()) {
    work();
    counted_path(&mut work);
    println!("Testing {name}\nSuccess");
}

/// The coded pictures of the stream that is read: so many that chance in the keystream evens out.
fn pictures(tags: &[Tag]) -> Vec<Tag> {
    tags.iter().filter(|tag| tag.kind == TagKind::Video && tag.body()[1] == 1).take(500).cloned().collect()
}

fn main() {
    let file = tags::file();
    let in_pieces = pieces(&file, 64 << 10);
    let mut all = Vec::new();
    tags::read(&in_pieces, |tag| all.push(tag));
    path("tags, parse", || tags::read(&in_pieces, |tag| drop(black_box(tag))));
    let mut out = BytesMut::with_capacity(file.len());
    path("tags, write", || {
        black_box(tags::write(&all, &mut out));
    });

    let key = || MasterKey::from_bytes([7; 16]);
    let pictures = pictures(&all);
    let mut encryptor = TagEncryptor::new(key(), KeyId(1), Mode::Nalu).unwrap();
    let sealed: Vec<Tag> = pictures.iter().map(|tag| encryptor.encrypt(tag.clone()).unwrap()).collect();
    let mut decryptor = TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key())]));
    let own = |tags: &[Tag], room: Room| -> Vec<TagBuf> {
        tags.iter().map(|tag| TagBuf::copied(tag, room)).collect()
    };
    let (mut first, mut second) = (own(&pictures, ROOM), own(&pictures, ROOM));
    let mut turns = [&mut second, &mut first].into_iter();
    path("encrypt in place", || {
        for tag in turns.next().unwrap() {
            encryptor.encrypt_in_place(tag).unwrap();
        }
    });
    let (mut first, mut second) = (own(&sealed, Room::NONE), own(&sealed, Room::NONE));
    let mut turns = [&mut second, &mut first].into_iter();
    path("decrypt in place", || {
        for tag in turns.next().unwrap() {
            assert!(decryptor.decrypt_in_place(tag).is_readable());
        }
    });

    for size in [128, 4096] {
        let size = ChunkSize::new(size).unwrap();
        let recording = rtmp::publish(size);
        let chunks = pieces(&recording.chunks, 64 << 10);
        path(&format!("rtmp, chunks of {}, read", size.get()), || {
            assert_eq!(rtmp::read_chunks(size, &chunks), recording.tags);
        });
        let messages = rtmp::messages(&recording, size);
        path(&format!("rtmp, chunks of {}, write", size.get()), || {
            black_box(rtmp::write_chunks(size, &messages));
        });
    }

    let show = scheduling::show();
    let (mut truck, director) = (scheduling::Truck::new(&show), scheduling::Director::of(&show));
    path("scheduling, 1000 ticks of 16 cameras", || {
        for _ in 0..1000 {
            director.cut(&mut truck);
            truck.tick(scheduling::lost_in_turn);
        }
    });

    let views = lookahead::views(Size::new(1920, 1080), 9).unwrap();
    path("lookahead, 9 pictures", || {
        assert_eq!(lookahead::plan(&mut Planner::new(), &views), 9);
    });
}
