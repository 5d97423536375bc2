//! Pictures as values, and the dissolve.

use codecs::{CodecError, PictureMut, Plane, Rgb, Yuv, dissolve};
use media::Size;
use proptest::prelude::*;

use crate::pattern;

#[test]
fn a_clone_is_the_same_picture_and_a_copy_is_not() {
    let picture = PictureMut::filled(Size::new(33, 17), Rgb::new(1, 2, 3)).unwrap().freeze();
    let clone = picture.clone();
    assert!(clone.ptr_eq(&picture));
    let mut copy = clone.to_mut().unwrap();
    copy.fill(Yuv::WHITE);
    assert_eq!(picture.plane(Plane::Y).mean(), Yuv::from(Rgb::new(1, 2, 3)).y);
    // Shared: a copy. Alone: the same memory.
    let mut taken = clone.into_mut().unwrap();
    taken.fill(Yuv::WHITE);
    assert_eq!(picture.plane(Plane::Y).mean(), Yuv::from(Rgb::new(1, 2, 3)).y);
    let before = picture.plane(Plane::Y).data.as_ptr();
    assert_eq!(picture.into_mut().unwrap().plane(Plane::Y).data.as_ptr(), before);
}

#[test]
fn memory_is_used_again() {
    // A size of this test's own, so that no other one takes from the pool.
    let size = Size::new(422, 118);
    let first = PictureMut::new(size).unwrap().plane(Plane::Y).data.as_ptr();
    for _ in 0..10 {
        assert_eq!(PictureMut::new(size).unwrap().plane(Plane::Y).data.as_ptr(), first);
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for size in [Size::new(0, 10), Size::new(10, 0), Size::new(20_000, 10), Size::new(u32::MAX, u32::MAX)] {
        let err = PictureMut::new(size).unwrap_err();
        assert!(err.to_string().ends_with("legal is 1x1 to 16384x16384"), "{err}");
    }
}

#[test]
fn a_dissolve_needs_pictures_of_one_size() {
    let (a, b) =
        (pattern::picture(Size::new(8, 8), 0).freeze(), pattern::picture(Size::new(8, 6), 0).freeze());
    assert!(matches!(dissolve(&a, &b, 1, 2), Err(CodecError::PictureSize { .. })));
}

#[test]
fn a_dissolve_begins_and_ends_with_its_pictures() {
    let size = Size::new(64, 36);
    let (a, b) = (pattern::picture(size, 0).freeze(), pattern::picture(size, 20).freeze());
    for (num, den, want) in [(0, 15, &a), (15, 15, &b), (99, 15, &b), (0, 0, &a)] {
        let out = dissolve(&a, &b, num, den).unwrap().freeze();
        assert!(pattern::pixels(&out) == pattern::pixels(want), "{num}/{den}");
    }
}

proptest! {
    #[test]
    fn a_dissolve_is_that_of_the_slow_twin(w in 1u32..40, h in 1u32..40, n in 0u32..50, num in 0u32..40, den in 0u32..40) {
        let size = Size::new(w, h);
        let a = pattern::picture(size, n).freeze();
        let mut noise = pattern::picture(size, n + 13);
        for mut plane in noise.planes_mut() {
            for (i, p) in plane.rows_mut().flatten().enumerate() {
                *p = p.wrapping_mul(31).wrapping_add((i as u32 * n) as u8);
            }
        }
        let b = noise.freeze();
        let fast = dissolve(&a, &b, num, den).unwrap().freeze();
        let slow = codecs::mix::dissolve_scalar(&a, &b, num, den).unwrap().freeze();
        prop_assert!(pattern::pixels(&fast) == pattern::pixels(&slow));
    }
}
