# The house: base <- core <- app <- {edge, service} <- main.
#
# Every room is a target with an include root of its own (a link named after the room), and sees only the
# rooms it links to. A forbidden #include therefore does not build.

function(filterd_options target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor)
    if(FILTERD_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(FILTERD_SANITIZE)
        target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()

# filterd_room(NAME PREFIX path SOURCES … LINKS …): PREFIX is what stands before the slash in an #include.
function(filterd_room target)
    cmake_parse_arguments(ROOM "" "PREFIX" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    set(root ${CMAKE_BINARY_DIR}/rooms/${target})
    cmake_path(GET ROOM_PREFIX PARENT_PATH parent)
    file(MAKE_DIRECTORY ${root}/${parent})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${ROOM_PREFIX} SYMBOLIC)
    if(ROOM_SOURCES)
        add_library(${target} STATIC ${ROOM_SOURCES})
        target_include_directories(${target} PUBLIC ${root})
        target_link_libraries(${target} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
        filterd_options(${target})
    else()
        add_library(${target} INTERFACE)
        target_include_directories(${target} INTERFACE ${root})
        target_link_libraries(${target} INTERFACE ${ROOM_LINKS})
    endif()
endfunction()
