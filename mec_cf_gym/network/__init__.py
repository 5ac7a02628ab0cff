"""Where access points and users are, and how much power reaches one from the other on average."""
