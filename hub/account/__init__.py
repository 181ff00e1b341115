"""Pages of people: what an app may do, which patient it is about, what apps may do already, and how one signs in."""
