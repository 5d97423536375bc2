//! In a steady state no tag costs an allocation: in place, out of and into a buffer, and
//! through a whole stream. A binary of its own, so that no other test allocates meanwhile.
#![allow(clippy::unwrap_used, unsafe_code, reason = "tests; an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use crypto::{
    Gate, KeyId, KeyRing, MasterKey, Mode, ROOM, Sound, TagDecryptor, TagEncryptor, Transcoder, Verdict,
};
use fixtures::tags::Stream;
use flv::{Room, Tag, TagBuf};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter left, and nothing to count.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` asks for memory.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1u8; 100]))) > 0);
    assert_eq!(allocations(|| assert!(std::hint::black_box(true))), 0);
}

fn key() -> MasterKey {
    MasterKey::from_bytes([9; 16])
}
fn encryptor(mode: Mode) -> TagEncryptor {
    TagEncryptor::new(key(), KeyId(1), mode).unwrap()
}
fn decryptor() -> TagDecryptor {
    TagDecryptor::new(KeyRing::from_iter([(KeyId(1), key())]))
}
/// Pictures of one and of several slices, with parameter sets and escapes in them, and sound.
fn film() -> Vec<Tag> {
    Stream { unit_bytes: 1..=6000, sound_bytes: 6..=1100, ..Stream::new(8) }.tags().take(3000).collect()
}

#[test]
fn in_place() {
    let clear = film();
    let ways = [(Mode::Nalu, Sound::Noise), (Mode::Capsule, Sound::Noise), (Mode::Nalu, Sound::Silence)];
    for (mode, sound) in ways {
        let (mut lock, mut unlock) = (encryptor(mode).with_sound(sound), decryptor());
        let mut owned: Vec<TagBuf> = clear.iter().map(|tag| TagBuf::copied(tag, ROOM)).collect();
        // The first tags under a salt: a key is derived and kept.
        for tag in owned.iter_mut().take(20) {
            lock.encrypt_in_place(tag).unwrap();
            unlock.decrypt_in_place(tag);
        }
        let locking = allocations(|| {
            for tag in &mut owned {
                lock.encrypt_in_place(tag).unwrap();
            }
        });
        assert_eq!(locking, 0, "{mode}, {sound}");
        let mut read = 0;
        let unlocking = allocations(|| {
            for tag in &mut owned {
                read += u32::from(matches!(unlock.decrypt_in_place(tag), Verdict::Encrypted { .. }));
            }
        });
        assert_eq!(unlocking, 0, "{mode}, {sound}");
        assert!(read > 2000);
        for (tag, clear) in owned.iter().zip(&clear) {
            assert_eq!(tag.body(), &clear.body()[..]);
        }
    }
}

/// The film with its pictures and sounds in three tracks a tag.
fn film_of_tracks() -> Vec<Tag> {
    let three = |tag: &Tag| {
        let (head, data) = match &tag.body()[..] {
            [0x17 | 0x27, 1, data @ ..] => (&b"\x96\x11avc1"[..], data),
            [0xaf, 1, data @ ..] => (&b"\x95\x11mp4a"[..], data),
            _ => return None,
        };
        let mut body = head.to_vec();
        for track in 0..3 {
            body.extend_from_slice(&[track]);
            body.extend_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
            body.extend_from_slice(data);
        }
        Tag::new(tag.kind, tag.timestamp, body.into()).ok()
    };
    film().iter().filter_map(three).collect()
}

#[test]
fn tracks_in_place() {
    let clear = film_of_tracks();
    let (mut lock, mut unlock) = (encryptor(Mode::Nalu), decryptor());
    let room = Room { front: 3 * ROOM.front, back: 3 * ROOM.back };
    let mut owned: Vec<TagBuf> = clear.iter().map(|tag| TagBuf::copied(tag, room)).collect();
    // The memory that a tag is written in grows to the longest.
    let longest = clear.iter().max_by_key(|tag| tag.body().len()).unwrap();
    for tag in owned.iter_mut().take(20).chain(&mut [TagBuf::copied(longest, room)]) {
        lock.encrypt_in_place(tag).unwrap();
        unlock.decrypt_in_place(tag);
    }
    let locking = allocations(|| {
        for tag in &mut owned {
            lock.encrypt_in_place(tag).unwrap();
        }
    });
    let mut read = 0;
    let unlocking = allocations(|| {
        for tag in &mut owned {
            read += usize::from(matches!(unlock.decrypt_in_place(tag), Verdict::Encrypted { .. }));
        }
    });
    assert_eq!((locking, unlocking, read), (0, 0, clear.len()));
    assert!(owned.iter().zip(&clear).all(|(tag, clear)| tag.body() == &clear.body()[..]));
}

#[test]
fn into_a_buffer() {
    let clear = film();
    let (mut lock, mut unlock) = (encryptor(Mode::Nalu), decryptor());
    let sealed: Vec<Tag> = clear.iter().map(|tag| lock.encrypt(tag.clone()).unwrap()).collect();
    let mut out = BytesMut::with_capacity(1 << 20);
    unlock.decrypt_into(&sealed[3], &mut out);
    unlock.decrypt_into(&sealed[4], &mut out);
    let used = allocations(|| {
        for (clear, sealed) in clear.iter().zip(&sealed) {
            out.clear();
            lock.encrypt_into(clear, &mut out).unwrap();
            out.clear();
            unlock.decrypt_into(sealed, &mut out);
        }
    });
    assert_eq!(used, 0);
}

/// Pieces of any size, as long as what comes out is let go again.
#[test]
fn through_a_stream() {
    let file = Stream { unit_bytes: 1..=6000, ..Stream::new(4) }.file(60_000);
    let through = |mut work: Transcoder, file: &Bytes| {
        let mut out = BytesMut::with_capacity(file.len() * 2);
        let mut at = 0;
        let mut step = |work: &mut Transcoder, upto: usize| {
            while at < upto {
                let end = upto.min(at + 3333);
                work.push(file.slice(at..end)).unwrap();
                out.extend_from_slice(&work.take());
                at = end;
            }
        };
        step(&mut work, file.len() / 4);
        let before = work.counts().tags;
        let used = allocations(|| step(&mut work, file.len()));
        // A buffer may once more have grown to the longest tag of the stream.
        let tags = work.counts().tags - before;
        assert!(used <= 2 && tags > 3000, "{used} for {tags} tags");
        out.extend_from_slice(&work.finish().unwrap().0);
        out.freeze()
    };
    let wire = through(Transcoder::encrypting(encryptor(Mode::Nalu)), &file);
    assert!(wire.len() > file.len());
    assert_eq!(through(Transcoder::decrypting(decryptor(), Gate::default()), &wire), file);
}
