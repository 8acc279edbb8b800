<?php
/**
 * `lofte/v1`: what Löfte may ask of this site, each call signed with the key both hold. Addresses travel in bodies, never in URLs.
 *
 * Signed is `METHOD \n route \n time \n nonce \n sha256 of the body`, HMAC-SHA256 with the key; five minutes, each nonce once.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Rest {
	const SPACE    = 'lofte/v1';
	const WINDOW_S = 300;

	public static function start(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
	}

	public static function routes(): void {
		foreach ( array( 'state', 'cookies', 'find', 'requests', 'track', 'left' ) as $name ) {
			register_rest_route(
				self::SPACE,
				'/' . $name,
				array(
					'methods'             => 'POST',
					'callback'            => array( __CLASS__, $name ),
					'permission_callback' => array( __CLASS__, 'is_signed' ),
				)
			);
		}
	}

	/** @return true|\WP_Error */
	public static function is_signed( \WP_REST_Request $request ) {
		$key   = Kit::settings()['key'];
		$time  = (string) $request->get_header( 'x_lofte_time' );
		$nonce = (string) $request->get_header( 'x_lofte_nonce' );
		$mac   = (string) $request->get_header( 'x_lofte_signature' );
		$no    = new \WP_Error( 'lofte_unsigned', 'This is for Löfte alone.', array( 'status' => 401 ) );
		if ( strlen( $key ) < 32 || ! ctype_digit( $time ) || abs( time() - (int) $time ) > self::WINDOW_S || ! preg_match( '/^[A-Za-z0-9_-]{16,64}$/D', $nonce ) ) {
			return $no;
		}
		$text = implode( "\n", array( $request->get_method(), $request->get_route(), $time, $nonce, hash( 'sha256', (string) $request->get_body() ) ) );
		if ( ! hash_equals( hash_hmac( 'sha256', $text, $key ), $mac ) ) {
			return $no;
		}
		// One statement decides between two who bring the same nonce at the same time: option names are unique.
		global $wpdb;
		$name  = '_transient_lofte_nonce_' . hash( 'sha256', $nonce );
		$until = time() + 2 * self::WINDOW_S;
		$first = $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $wpdb->options (option_name, option_value, autoload) VALUES (%s, '1', 'no'), (%s, %s, 'no')", $name, str_replace( '_transient_', '_transient_timeout_', $name ), (string) $until ) ); // phpcs:ignore WordPress.DB
		return 2 === (int) $first ? true : $no;
	}

	private static function email( \WP_REST_Request $request ): string {
		return (string) sanitize_email( (string) $request->get_param( 'email' ) );
	}

	/** Runs one step and turns its fault into an answer without personal data. */
	private static function answer( callable $step ) {
		try {
			return new \WP_REST_Response( $step(), 200, array( 'Cache-Control' => 'no-store' ) );
		} catch ( \RuntimeException $fault ) {
			return new \WP_Error( 'lofte_fault', 'This could not be carried out: ' . $fault->getMessage(), array( 'status' => 503 ) );
		}
	}

	public static function state() {
		return self::answer(
			static function () {
				return array( 'format' => 'lofte-wordpress/1', 'wordpress' => get_bloginfo( 'version' ), 'digest' => Kit::current()->word( 'digest' ), 'is_denied' => Kit::current()->is_denied );
			}
		);
	}

	/** What browsers may be given here, and whether anything holds it. */
	public static function cookies() {
		return self::answer(
			static function () {
				$plugin = get_file_data( LOFTE_FILE, array( 'version' => 'Version' ) );
				return array( 'format' => 'lofte-wordpress/1', 'wordpress' => get_bloginfo( 'version' ), 'plugin' => $plugin['version'], 'is_gated' => ! Kit::current()->is_denied, 'has_consent_api' => function_exists( 'wp_get_cookie_info' ), 'cookies' => Cookies::may_keep() );
			}
		);
	}

	public static function find( \WP_REST_Request $request ) {
		return self::answer(
			static function () use ( $request ) {
				$email = self::email( $request );
				return array( 'records' => '' === $email ? array() : Privacy::records( $email ) );
			}
		);
	}

	public static function requests( \WP_REST_Request $request ) {
		$id    = (string) $request->get_param( 'id' );
		$what  = (string) $request->get_param( 'what' );
		$email = self::email( $request );
		if ( ! preg_match( '/^[0-9a-f-]{36}$/D', $id ) || ! in_array( $what, array( 'erase', 'export' ), true ) || '' === $email ) {
			return new \WP_Error( 'lofte_wrong', 'id, what or email is missing.', array( 'status' => 400 ) );
		}
		return self::answer(
			static function () use ( $id, $what, $email ) {
				return Privacy::carry_out( $id, $what, $email );
			}
		);
	}

	public static function track( \WP_REST_Request $request ) {
		$post = get_post( Privacy::request_of( (string) $request->get_param( 'id' ) ) ?: -1 );
		return new \WP_REST_Response( array( 'status' => $post ? $post->post_status : 'unknown' ), 200, array( 'Cache-Control' => 'no-store' ) );
	}

	public static function left( \WP_REST_Request $request ) {
		return self::answer(
			static function () use ( $request ) {
				$email = self::email( $request );
				return array( 'left' => (object) ( '' === $email ? array() : Privacy::left( $email ) ) );
			}
		);
	}
}
