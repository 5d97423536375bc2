//! A show that goes on after its engine died: what was wanted is kept in a small file while it runs.
//!
//! A [`StateFile`] is where; given to a show with [`RunOptions`](crate::RunOptions), it is written
//! whenever the director or the rundown changes anything, and every few seconds besides, on a thread
//! of its own: no tick waits for the disk, and a disk that takes nothing is an event. A show that
//! ends as it should takes the file away. Where an engine died there is one, and [`StateFile::read`]
//! gives the [`KeptShow`] that the next engine goes on from: the same show time, which has gone on
//! with the clock on the wall, the same sources, rundown, lines, levels, watermarks and keys in force.
//! Of a show file that was changed in between, what still fits is taken up.
//!
//! What makes an encrypted stream safe is never kept: no key, and no salt, of which each engine asks
//! the system for new ones.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use engine::resume::StateFile;
//! use engine::{Engine, Mode, RunOptions};
//!
//! let show = pipeline_dsl::parse_show(&std::fs::read_to_string("tour.show")?)
//!     .map_err(|said| format!("{said:?}"))?;
//! let state = StateFile::open("tour.state")?;
//! let kept = state.read()?;
//! if let Some(kept) = &kept {
//!     println!("{} died at {}", kept.show_name(), kept.reached());
//! }
//! let options = RunOptions { state: Some(state), goes_on: kept.map(Arc::new), ..RunOptions::new(Mode::RealTime) };
//! let report = Engine::start(show, options)?.wait();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod file;
mod keeper;
mod kept;

pub use choice::{Choice, Wanted, Why};
pub use file::{StateError, StateFile};
pub(crate) use file::{round_trip, unix_millis};
pub(crate) use keeper::{Keeper, Parting};
pub use kept::KeptShow;
pub(crate) use kept::{KeptChannel, KeptFile, KeptMark, KeptMarks, TakenUp};
