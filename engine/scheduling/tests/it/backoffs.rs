use media::Span;
use proptest::prelude::*;
use scheduling::Backoff;

proptest! {
    #[test]
    fn a_wait_is_bounded_and_the_bound_doubles(rolls in prop::collection::vec(any::<u64>(), 1..100)) {
        let (first, most) = (Span::from_millis(100), Span::from_secs(5));
        let mut backoff = Backoff::new(first, most);
        for (n, roll) in rolls.into_iter().enumerate() {
            let bound = if n < 6 { first.times(1 << n) } else { most }.min(most);
            let mut fullest = backoff.clone();
            prop_assert_eq!(fullest.failed(u64::MAX), bound);
            prop_assert_eq!(backoff.clone().failed(0), Span::ZERO);
            let wait = backoff.failed(roll);
            prop_assert!(wait >= Span::ZERO && wait <= bound);
            prop_assert_eq!(backoff.failures() as usize, n + 1);
        }
        backoff.worked();
        prop_assert_eq!(backoff.failed(u64::MAX), first);
    }

    #[test]
    fn no_settings_overflow(first in any::<i64>(), most in any::<i64>(), roll in any::<u64>()) {
        let mut backoff = Backoff::new(Span::from_flicks(first), Span::from_flicks(most));
        for _ in 0..70 {
            let wait = backoff.failed(roll);
            prop_assert!(wait >= Span::ZERO && wait.flicks() <= most.max(0));
        }
    }
}
