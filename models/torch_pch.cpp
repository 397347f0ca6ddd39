// The source that the one precompiled header is built for.
#include "models/torch_pch.h"
